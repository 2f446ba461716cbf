import { createDriverSide } from '../src/memory/driver.ts'
import { createVirtualClock } from '../src/testing/virtual-clock.ts'
import { wireMessage } from './wire-message.ts'
import type { DeadLetterRecord } from '../src/contract/dead-letters.ts'
import type {
  Delivery,
  DeliverySink,
  Destination,
  DriverConnection,
  DriverConsumer,
  PublishOutcome,
  Scope,
  SettleOutcome,
  SettleVerb,
  Source,
} from '../src/contract/driver.ts'
import type { TransportEvents } from '../src/contract/events.ts'
import type { WireMessage } from '../src/contract/wire-message.ts'
import type { PosthornError } from '../src/errors.ts'
import type { DriverSide } from '../src/memory/driver.ts'
import type { MemoryNative } from '../src/memory/native.ts'
import type { MemoryBrokerOptions } from '../src/memory/options.ts'
import type { VirtualClock } from '../src/testing/virtual-clock.ts'

/** A broker on a virtual clock, and connections to its driver without a transport. */
export interface Lab {
  readonly broker: DriverSide
  readonly clock: VirtualClock
  connect(name?: string, namespace?: string): Promise<Client>
  /** Lets everything go on that can without time. */
  turn(): Promise<void>
}

export function createLab(options: MemoryBrokerOptions & { readonly seed?: number } = {}): Lab {
  const { seed = 1, ...brokerOptions } = options
  const clock = createVirtualClock({ seed })
  const broker = createDriverSide({ clock, ...brokerOptions })
  return {
    broker,
    clock,
    async connect(name, namespace = '') {
      const client = new Client(clock)
      client.connection = await broker.driver(name).connect({
        clock,
        namespace,
        signal: new AbortController().signal,
        emit: (event, content) => client.emitted.push({ event, content }),
        lost: (error) => client.lost.push(error),
        blocked: (reason) => client.blocked.push(reason),
        unreachable: (reason) => client.unreachable.push(reason),
      })
      return client
    },
    turn: () => clock.advance(0),
  }
}

/** One connection, and what its host was told. */
export class Client {
  connection!: DriverConnection<MemoryNative>
  readonly lost: PosthornError[] = []
  readonly blocked: (string | undefined)[] = []
  readonly unreachable: (string | undefined)[] = []
  readonly emitted: { readonly event: keyof TransportEvents; readonly content: unknown }[] = []
  private readonly clock: VirtualClock

  constructor(clock: VirtualClock) {
    this.clock = clock
  }

  declareQueue(
    name: string,
    more: { readonly maxMessages?: number; readonly deduplicationWindowMs?: number } = {},
  ): Promise<void> {
    return this.connection.declare({ queues: [{ name, ...more }] }, 'create')
  }

  /** Sends to a queue. */
  send(queueName: string, ...messages: readonly WireMessage[]): Promise<readonly PublishOutcome[]> {
    return this.publish({ kind: 'queue', name: queueName, shards: 1 }, messages)
  }

  publish(
    destination: Destination,
    messages: readonly WireMessage[],
    timeoutMs = 30_000,
  ): Promise<readonly PublishOutcome[]> {
    return this.connection.publish(destination, messages, this.clock.now() + timeoutMs)
  }

  async consume(source: Source, options: ReaderOptions = {}): Promise<Reader> {
    const reader = new Reader(options)
    reader.consumer = await this.connection.consume(
      source,
      { order: options.order ?? 'none', prefetch: 1_000, prefetchBytes: 1e9, handlerTimeoutMs: 60_000 },
      reader,
    )
    return reader
  }
}

export interface ReaderOptions {
  readonly order?: 'none' | 'key'
  /** Of each scope. Default 1,000. */
  readonly window?: number
  /** Acks everything as it comes. */
  readonly acks?: boolean
}

/** A sink that writes down what it is told. */
export class Reader implements DeliverySink {
  consumer!: DriverConsumer
  window: number
  readonly batches: (readonly Delivery[])[] = []
  readonly scopes: Scope[] = []
  readonly revoked: Scope[] = []
  readonly lostScopes: Scope[] = []
  readonly endings: PosthornError[] = []
  /** What `revoke` answers; at once when left alone. */
  onRevoke: (scope: Scope) => Promise<void> = () => Promise.resolve()
  onDeliver: (deliveries: readonly Delivery[]) => void = () => {}
  private readonly acks: boolean

  constructor({ window = 1_000, acks = false }: ReaderOptions) {
    this.window = window
    this.acks = acks
  }

  get deliveries(): readonly Delivery[] {
    return this.batches.flat()
  }

  /** Ids of all that came, in order. */
  get ids(): readonly string[] {
    return this.deliveries.map((delivery) => delivery.message.id)
  }

  get scope(): Scope {
    return this.scopes.at(-1) as Scope
  }

  /** The last delivery of a message. */
  delivery(id: string): Delivery {
    const found = this.deliveries.findLast((delivery) => delivery.message.id === id)
    if (found === undefined) throw new Error(`${id} did not arrive; ${this.ids.join(', ') || 'nothing'} did.`)
    return found
  }

  assigned(scope: Scope): number {
    this.scopes.push(scope)
    return this.window
  }

  deliver(scope: Scope, deliveries: readonly Delivery[]): void {
    this.batches.push(deliveries)
    this.onDeliver(deliveries)
    if (this.acks)
      void this.consumer.settle(
        scope,
        deliveries.map((delivery) => settlement(delivery, 'ack')),
      )
  }

  revoke(scope: Scope): Promise<void> {
    this.revoked.push(scope)
    return this.onRevoke(scope)
  }

  lost(scope: Scope): void {
    this.lostScopes.push(scope)
  }

  ended(error: PosthornError): void {
    this.endings.push(error)
  }

  async settle(id: string, verb: SettleVerb, more: SettlementOptions = {}): Promise<SettleOutcome> {
    return this.settleDelivery(this.delivery(id), verb, more)
  }

  async settleDelivery(
    delivery: Delivery,
    verb: SettleVerb,
    more: SettlementOptions = {},
  ): Promise<SettleOutcome> {
    const [outcome] = await this.consumer.settle(delivery.scope, [settlement(delivery, verb, more)])
    return outcome as SettleOutcome
  }

  async renew(id: string): Promise<SettleOutcome> {
    const delivery = this.delivery(id)
    const [outcome] = await this.consumer.renew(delivery.scope, [delivery])
    return outcome as SettleOutcome
  }
}

export interface SettlementOptions {
  readonly delayMs?: number
  readonly message?: Partial<WireMessage>
}

export function settlement(
  delivery: Delivery,
  verb: SettleVerb,
  { delayMs = 0, message: changes }: SettlementOptions = {},
): {
  readonly delivery: Delivery
  readonly verb: SettleVerb
  readonly delayMs: number
  readonly message: WireMessage
  readonly record: DeadLetterRecord | undefined
} {
  return {
    delivery,
    verb,
    delayMs,
    message: { ...delivery.message, ...changes },
    record: verb === 'deadLetter' ? record('gave-up') : undefined,
  }
}

function record(reason: string): DeadLetterRecord {
  return {
    source: 'orders',
    group: undefined,
    reason,
    error: undefined,
    attempts: 1,
    deliveries: 1,
    firstFailedAt: undefined,
    lastFailedAt: undefined,
    deadLetteredAt: 0,
    handler: undefined,
  }
}

export function queue(name: string): Source {
  return { kind: 'queue', name, deadLetterQueue: `${name}.dlq`, shards: 1 }
}

export function group(topic: string, name: string, patterns: readonly string[] = ['#']): Source {
  return {
    kind: 'subscription',
    topic,
    group: name,
    patterns,
    deadLetterQueue: `${topic}/${name}.dlq`,
    shards: 1,
  }
}

export function message(id: string, fields: Partial<WireMessage> = {}): WireMessage {
  const body = new TextEncoder().encode(id)
  return wireMessage(id, 0, { type: 'test', routingKey: 'test', body, contentType: 'text/plain', ...fields })
}

/** Messages with these ids. */
export function messages(...ids: readonly string[]): WireMessage[] {
  return ids.map((id) => message(id))
}
