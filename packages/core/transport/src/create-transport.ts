import { systemClock } from './clock/system-clock.ts'
import { closeOnSignals } from './close-on-signals.ts'
import { jsonCodec } from './codec/json-codec.ts'
import { Session } from './connection/session.ts'
import { TopologyRegistry } from './connection/topology-registry.ts'
import { Consumers } from './consume/consumers.ts'
import { LoneGate } from './consume/lone-gate.ts'
import type { Capabilities } from './contract/capabilities.ts'
import type { Clock } from './contract/clock.ts'
import type { Consumer, Inbox } from './contract/consumer.ts'
import type { DeadLetters } from './contract/dead-letter-tools.ts'
import type { Depth } from './contract/depth.ts'
import type { Driver } from './contract/driver.ts'
import type { TransportEvents } from './contract/events.ts'
import type { Health } from './contract/health.ts'
import type { OutgoingMessage, SendOptions } from './contract/message.ts'
import type { DeclareMode, PlanItem, Topology } from './contract/topology.ts'
import type { CloseOnSignalsOptions, CloseOptions, CloseReport, SourceRef, Transport } from './contract/transport.ts'
import type { TransportOptions } from './contract/transport-options.ts'
import { createDeadLetterTools } from './dead-letters/dead-letter-tools.ts'
import { PosthornError, toPosthornError } from './errors.ts'
import { EventHub } from './event-hub.ts'
import { createIdFactory } from './message/create-id.ts'
import { createMessagePreparer } from './message/prepare-message.ts'
import { callback, checkOptions, duration, oneOf } from './options/check-options.ts'
import { checkTopology } from './options/check-topology.ts'
import { transportDefaults, transportRules } from './options/transport-rules.ts'
import { Publisher } from './publish/publisher.ts'
import { Sender } from './publish/sender.ts'
import { requireFeature } from './requirements.ts'
import { parseSourceRef, sourceName, type DurableSource } from './routing/names.ts'

/** Connects a driver and makes the transport on it. Rejects when no connection comes up in time. */
export async function createTransport<Native>(
  driver: Driver<Native>,
  options: TransportOptions = {},
): Promise<Transport<Native>> {
  checkOptions(`${driver.name}()`, options, transportRules)
  const transport = new BrokerTransport(driver, options)
  await transport.start()
  return transport
}

class BrokerTransport<Native> implements Transport<Native> {
  readonly broker: string
  readonly clock: Clock
  private readonly mode: DeclareMode
  private readonly hub = new EventHub()
  private readonly session: Session<Native>
  private readonly topology: TopologyRegistry
  private readonly publisher: Publisher
  private readonly sender: Sender
  private readonly consumers: Consumers
  private closed = false
  private closing: Promise<CloseReport> | undefined

  constructor(driver: Driver<Native>, given: TransportOptions) {
    const { emit } = this.hub
    const clock = given.clock ?? systemClock
    const codec = given.codec ?? jsonCodec
    const createId = createIdFactory(clock)
    const sendTimeoutMs = given.sendTimeoutMs ?? transportDefaults.sendTimeoutMs
    this.broker = driver.name
    this.clock = clock
    this.mode = given.topology ?? transportDefaults.topology
    const session = new Session<Native>({
      driver,
      clock,
      emit,
      namespace: given.namespace ?? '',
      connectTimeoutMs: given.connectTimeoutMs ?? transportDefaults.connectTimeoutMs,
      maxReconnects: given.maxReconnects ?? Infinity,
      patienceMs: sendTimeoutMs,
      restore: async (connection) => {
        await this.topology.restore(connection)
        await this.consumers.restore()
      },
      ready: () => this.publisher.wake(),
      lost: (error) => {
        this.publisher.connectionLost(error)
        this.consumers.connectionLost(error)
      },
      gaveUp: (error) => this.publisher.fail(error),
    })
    this.session = session
    this.topology = new TopologyRegistry(this.mode, () => session.live())
    this.publisher = new Publisher(
      {
        clock,
        emit,
        broker: driver.name,
        connection: () => session.writable,
        reason: () => session.reason,
        ensure: (destination) => this.topology.ensure(destination),
        forget: (destination) => this.topology.forget(destination),
      },
      {
        maxInFlight: given.maxInFlight ?? transportDefaults.maxInFlight,
        maxInFlightBytes: given.maxInFlightBytes ?? transportDefaults.maxInFlightBytes,
        whenFull: given.whenFull ?? transportDefaults.whenFull,
      },
    )
    const refuse = (): void => this.refuseIfOver()
    this.sender = new Sender({
      clock,
      refuse,
      sendTimeoutMs,
      publisher: this.publisher,
      shardsOf: (queue) => this.topology.shardsOf(queue),
      middleware: given.publishUse ?? [],
      prepare: createMessagePreparer({
        codec,
        clock,
        createId,
        capabilities: () => session.broker.capabilities,
        broker: () => driver.name,
      }),
    })
    this.consumers = new Consumers({
      clock,
      codec,
      createId,
      emit,
      refuse,
      gate: new LoneGate(),
      topology: this.topology,
      sender: this.sender,
      stallMs: given.stallMs ?? transportDefaults.stallMs,
      broker: () => session.broker,
      connection: () => session.connection,
      whenConnected: () => session.whenConnected(),
    })
  }

  async start(): Promise<void> {
    await this.session.supervisor.start()
  }

  // Publishing

  send<Data>(queue: string, message: OutgoingMessage<Data>, options?: SendOptions): Promise<void> {
    return this.sender.one('send', queue, message, options)
  }

  publish<Data>(topic: string, message: OutgoingMessage<Data>, options?: SendOptions): Promise<void> {
    return this.sender.one('publish', topic, message, options)
  }

  sendMany<Data>(queue: string, messages: readonly OutgoingMessage<Data>[], options?: SendOptions): Promise<void> {
    return this.sender.many('send', queue, messages, options)
  }

  publishMany<Data>(topic: string, messages: readonly OutgoingMessage<Data>[], options?: SendOptions): Promise<void> {
    return this.sender.many('publish', topic, messages, options)
  }

  // Consuming

  consume(queue: string, handler: unknown, options?: Parameters<Consumers['consume']>[2]): Promise<Consumer> {
    return this.consumers.consume(queue, handler, options)
  }

  subscribe(topic: string, handler: unknown, options: Parameters<Consumers['subscribe']>[2]): Promise<Consumer> {
    return this.consumers.subscribe(topic, handler, options)
  }

  inbox(handler: unknown, options?: Parameters<Consumers['inbox']>[1]): Promise<Inbox> {
    return this.consumers.inbox(handler, options)
  }

  // Topology, dead letters, depth

  async declare(topology: Topology, options: { readonly mode?: DeclareMode } = {}): Promise<void> {
    this.refuseIfOver()
    checkOptions('declare()', options, { mode: oneOf('create', 'check', 'none') })
    checkTopology('declare()', topology)
    this.requireFeatures(topology)
    await this.session.whenConnected()
    await this.topology.declare(topology, options.mode ?? this.mode)
    this.sender.forgetDestinations()
  }

  async plan(topology: Topology): Promise<readonly PlanItem[]> {
    this.refuseIfOver()
    checkTopology('plan()', topology)
    return (await this.session.whenConnected()).plan(topology)
  }

  deadLetters(ref: SourceRef): DeadLetters {
    const source = this.source(ref)
    return createDeadLetterTools(source, sourceName(source), async () => {
      this.refuseIfOver()
      return this.session.whenConnected()
    })
  }

  async depth(ref: SourceRef): Promise<Depth> {
    this.refuseIfOver()
    const source = this.source(ref)
    return (await this.session.whenConnected()).depth(source)
  }

  /** The source with its dead-letter queue: the one named, else the one declared here, else the default. */
  private source(ref: SourceRef): DurableSource {
    const source = parseSourceRef(ref)
    if (typeof ref === 'object' && ref.deadLetterQueue !== undefined) return source
    return source.kind === 'queue'
      ? this.topology.queueSource(source.name)
      : this.topology.subscriptionSource(source.topic, source.group, source.patterns)
  }

  private requireFeatures(topology: Topology): void {
    const { broker } = this.session
    const bounded = [...(topology.queues ?? []), ...(topology.subscriptions ?? [])]
    if (bounded.some((one) => (one.maxMessages ?? one.maxBytes) !== undefined)) {
      requireFeature(broker, 'boundedQueues', 'A bound on a queue')
    }
    if (topology.queues?.some((queue) => queue.deduplicationWindowMs !== undefined) === true) {
      requireFeature(broker, 'deduplication', 'A queue with deduplicationWindowMs')
    }
    for (const { from } of topology.subscriptions ?? []) {
      if (from === 'earliest') requireFeature(broker, 'fromEarliest', "A subscription with from: 'earliest'")
      if (from instanceof Date) requireFeature(broker, 'fromTime', 'A subscription with a date as from')
    }
  }

  // What it is and how it is

  get capabilities(): Capabilities {
    return this.session.broker.capabilities
  }

  get native(): Native {
    return this.session.broker.native
  }

  health(): Health {
    const { supervisor, version } = this.session
    const consumers = this.consumers.health()
    const broken = consumers.find((consumer) => consumer.state === 'down')
    return {
      broker: this.broker,
      version,
      state: broken !== undefined && supervisor.state === 'up' ? 'down' : supervisor.state,
      since: supervisor.since,
      reason: broken === undefined ? supervisor.blockedReason : `${broken.source}: ${broken.reason ?? 'down'}`,
      error: supervisor.error,
      publishing: this.publisher.inFlight,
      consumers,
    }
  }

  on<Name extends keyof TransportEvents>(name: Name, listener: (event: TransportEvents[Name]) => void): () => void {
    return this.hub.on(name, listener)
  }

  // The end

  close(options: CloseOptions = {}): Promise<CloseReport> {
    try {
      checkOptions('close()', options, { deadlineMs: duration() })
    } catch (error) {
      return Promise.reject(toPosthornError(error, 'POSTHORN_INVALID_OPTION'))
    }
    this.closing ??= this.end(options.deadlineMs ?? 30_000)
    return this.closing
  }

  private async end(deadlineMs: number): Promise<CloseReport> {
    const deadline = this.clock.now() + deadlineMs
    // Handlers that are let end may still send: nothing is refused before they have.
    if (this.consumers.count === 0) this.closed = true
    const consumers = await this.consumers.stop(deadlineMs)
    this.closed = true
    const unconfirmed = await this.publisher.drain(deadline - this.clock.now())
    this.session.end(closedError(this.broker))
    this.publisher.stop()
    await this.session.supervisor.close()
    const clean = unconfirmed === 0 && consumers.every((report) => report.unfinished.length === 0)
    return { consumers, unconfirmed, clean }
  }

  closeOnSignals(options?: CloseOnSignalsOptions): () => void {
    checkOptions('closeOnSignals()', options ?? {}, { deadlineMs: duration(), onClosed: callback() })
    return closeOnSignals(this, options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  private refuseIfOver(): void {
    if (this.closed) throw closedError(this.broker)
    if (this.session.fatal !== undefined) throw this.session.fatal
  }
}

function closedError(broker: string): PosthornError {
  return new PosthornError('POSTHORN_CLOSED', `The transport to ${broker} is closed. Open a new one to go on.`, {
    phase: 'connect',
    outcome: 'rejected',
  })
}
