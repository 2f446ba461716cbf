import type { Capabilities, Capability, Feature } from '../src/contract/capabilities.ts'
import type { Depth } from '../src/contract/depth.ts'
import type {
  ConsumeRequest,
  DeadLetterPass,
  DeliverySink,
  Destination,
  Driver,
  DriverConnection,
  DriverConsumer,
  DriverHost,
  PublishOutcome,
  Source,
} from '../src/contract/driver.ts'
import type { PlanItem, Topology } from '../src/contract/topology.ts'
import type { WireMessage } from '../src/contract/wire-message.ts'
import { PosthornError } from '../src/errors.ts'

const features: readonly Feature[] = [
  'durability',
  'delayedSend',
  'delayedRetry',
  'uncountedRelease',
  'uncountedPostpone',
  'uncountedClose',
  'deliveryCount',
  'attemptCount',
  'priority',
  'keyOrder',
  'keyBalance',
  'holdKey',
  'expiry',
  'deduplication',
  'fromEarliest',
  'fromTime',
  'ephemeral',
  'inbox',
  'patternRouting',
  'boundedQueues',
  'releaseInPlace',
  'deadLetterPass',
]

export function fakeCapabilities(changed: Partial<Record<Feature, Capability>> = {}): Capabilities {
  const native = Object.fromEntries(features.map((name) => [name, { level: 'native' }])) as Record<
    Feature,
    Capability
  >
  return {
    features: { ...native, ...changed },
    lease: { scope: 'delivery', durationMs: 60_000 },
    limits: { maxBodyBytes: 1_000_000, maxHeaderBytes: 10_000, maxBatch: 100, maxBatchBytes: 1_000_000 },
  }
}

/** One call of `publish`, which waits for its answer. */
export interface PublishCall {
  readonly destination: Destination
  readonly batch: readonly WireMessage[]
  readonly deadline: number
  answer(outcomes: readonly PublishOutcome[]): void
  reject(error: unknown): void
}

/** A connection that does what a test says; unless told otherwise, everything succeeds at once. */
export class FakeConnection implements DriverConnection<string> {
  readonly version = '1.2.3'
  readonly native = 'native client'
  capabilities: Capabilities = fakeCapabilities()
  readonly host: DriverHost
  readonly published: PublishCall[] = []
  readonly declared: { readonly topology: Topology; readonly mode: string }[] = []
  closes = 0
  onPublish: (call: PublishCall) => void = (call) => call.answer(call.batch.map(() => 'confirmed'))
  onDeclare: (topology: Topology, mode: string) => Promise<void> = () => Promise.resolve()
  onPlan: () => Promise<readonly PlanItem[]> = () => Promise.resolve([])
  onDepth: (source: Source) => Promise<Depth> = () => Promise.reject(new Error('no depth'))
  onConsume: (source: Source, request: ConsumeRequest, sink: DeliverySink) => Promise<DriverConsumer> = () =>
    Promise.resolve(idleConsumer())
  onCount: () => Promise<number> = () => Promise.resolve(0)
  onOpenDeadLetters: (cursor: string | undefined) => Promise<DeadLetterPass> = () =>
    Promise.reject(new Error('no pass'))
  onClose: () => Promise<void> = () => Promise.resolve()

  constructor(host: DriverHost) {
    this.host = host
  }

  declare(topology: Topology, mode: 'create' | 'check'): Promise<void> {
    this.declared.push({ topology, mode })
    return this.onDeclare(topology, mode)
  }

  plan(): Promise<readonly PlanItem[]> {
    return this.onPlan()
  }

  publish(
    destination: Destination,
    batch: readonly WireMessage[],
    deadline: number,
  ): Promise<readonly PublishOutcome[]> {
    return new Promise((answer, reject) => {
      const call: PublishCall = { destination, batch, deadline, answer, reject }
      this.published.push(call)
      this.onPublish(call)
    })
  }

  consume(source: Source, request: ConsumeRequest, sink: DeliverySink): Promise<DriverConsumer> {
    return this.onConsume(source, request, sink)
  }

  countDeadLetters(): Promise<number> {
    return this.onCount()
  }

  openDeadLetters(_source: Source, cursor: string | undefined): Promise<DeadLetterPass> {
    return this.onOpenDeadLetters(cursor)
  }

  depth(source: Source): Promise<Depth> {
    return this.onDepth(source)
  }

  close(): Promise<void> {
    this.closes++
    return this.onClose()
  }
}

export interface FakeDriver extends Driver<string> {
  /** The connections made so far, in order. */
  readonly connections: FakeConnection[]
  /** The newest one. */
  readonly connection: FakeConnection
  /** Every host that `connect` was given, those of failed tries included. */
  readonly hosts: DriverHost[]
  /** What the next tries do, one after the other; once there are no more, each succeeds. */
  readonly script: ((host: DriverHost) => Promise<FakeConnection>)[]
  /** Called with each connection that succeeds by itself. */
  prepare: (connection: FakeConnection, index: number) => void
}

export function createFakeDriver(): FakeDriver {
  const connections: FakeConnection[] = []
  const hosts: DriverHost[] = []
  const script: FakeDriver['script'] = []
  return {
    specificationVersion: 'v1',
    name: 'fake',
    connections,
    hosts,
    script,
    prepare: () => {},
    get connection() {
      const newest = connections.at(-1)
      if (newest === undefined) throw new Error('There is no connection yet.')
      return newest
    },
    async connect(host) {
      hosts.push(host)
      const next = script.shift()
      if (next !== undefined) {
        const connection = await next(host)
        connections.push(connection)
        return connection
      }
      const connection = new FakeConnection(host)
      this.prepare(connection, connections.length)
      connections.push(connection)
      return connection
    },
  }
}

export function connectionLost(message = 'The socket is gone.'): PosthornError {
  return new PosthornError('POSTHORN_CONNECTION_LOST', message, { phase: 'connect', retryable: true })
}

export function connectFailed(message = 'Nobody listens.', retryable = true): PosthornError {
  return new PosthornError(retryable ? 'POSTHORN_CONNECT_FAILED' : 'POSTHORN_ACCESS_DENIED', message, {
    phase: 'connect',
    retryable,
  })
}

export function idleConsumer(): DriverConsumer {
  return {
    flow: 'dynamic',
    window: () => {},
    settle: (_scope, items) => Promise.resolve(items.map(() => 'confirmed')),
    renew: (_scope, deliveries) => Promise.resolve(deliveries.map(() => 'confirmed')),
    ready: () => Promise.resolve(0),
    close: () => Promise.resolve(),
  }
}

/** A promise that never settles. */
export function never<Result>(): Promise<Result> {
  return new Promise(() => {})
}
