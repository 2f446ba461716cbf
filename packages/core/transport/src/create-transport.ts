import { closeOnSignals } from './close-on-signals.ts'
import type { Consumers } from './consume/consumers.ts'
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
import type {
  CloseOnSignalsOptions,
  CloseOptions,
  CloseReport,
  SourceRef,
  Transport,
} from './contract/transport.ts'
import type { TransportOptions } from './contract/transport-options.ts'
import { PosthornError, toPosthornError } from './errors.ts'
import { callback, checkOptions, duration, oneOf } from './options/check-options.ts'
import { checkDriver } from './options/check-driver.ts'
import { checkTopology } from './options/check-topology.ts'
import { transportDefaults, transportRules } from './options/transport-rules.ts'
import { requireTopology } from './requirements.ts'
import { createTransportParts, type TransportParts } from './transport-parts.ts'

/** How long a connection may take to say goodbye when the deadline has passed. */
const disconnectGraceMs = 1_000

/** Connects a driver and makes the transport on it. Rejects when no connection comes up in time. */
export async function createTransport<Native>(
  driver: Driver<Native>,
  options: TransportOptions = {},
): Promise<Transport<Native>> {
  checkDriver(driver)
  checkOptions(`${driver.name}()`, options, transportRules)
  const transport = new BrokerTransport(driver, options)
  await transport.start()
  return transport
}

class BrokerTransport<Native> implements Transport<Native> {
  readonly broker: string
  readonly clock: Clock
  private readonly mode: DeclareMode
  private readonly parts: TransportParts<Native>
  private readonly signalListeners: (() => void)[] = []
  private closed = false
  private closing: Promise<CloseReport> | undefined

  constructor(driver: Driver<Native>, options: TransportOptions) {
    this.broker = driver.name
    this.mode = options.topology ?? transportDefaults.topology
    this.parts = createTransportParts(driver, options, () => this.refuseIfOver())
    this.clock = this.parts.clock
  }

  async start(): Promise<void> {
    await this.parts.session.supervisor.start()
  }

  // Publishing

  send<Data>(queue: string, message: OutgoingMessage<Data>, options?: SendOptions): Promise<void> {
    return this.parts.sender.one('send', queue, message, options)
  }

  publish<Data>(topic: string, message: OutgoingMessage<Data>, options?: SendOptions): Promise<void> {
    return this.parts.sender.one('publish', topic, message, options)
  }

  sendMany<Data>(
    queue: string,
    messages: readonly OutgoingMessage<Data>[],
    options?: SendOptions,
  ): Promise<void> {
    return this.parts.sender.many('send', queue, messages, options)
  }

  publishMany<Data>(
    topic: string,
    messages: readonly OutgoingMessage<Data>[],
    options?: SendOptions,
  ): Promise<void> {
    return this.parts.sender.many('publish', topic, messages, options)
  }

  // Consuming

  consume(queue: string, handler: unknown, options?: Parameters<Consumers['consume']>[2]): Promise<Consumer> {
    return this.parts.consumers.consume(queue, handler, options)
  }

  subscribe(
    topic: string,
    handler: unknown,
    options: Parameters<Consumers['subscribe']>[2],
  ): Promise<Consumer> {
    return this.parts.consumers.subscribe(topic, handler, options)
  }

  inbox(handler: unknown, options?: Parameters<Consumers['inbox']>[1]): Promise<Inbox> {
    return this.parts.consumers.inbox(handler, options)
  }

  // Topology, dead letters, depth

  async declare(topology: Topology, options: { readonly mode?: DeclareMode } = {}): Promise<void> {
    this.refuseIfOver()
    checkOptions('declare()', options, { mode: oneOf('create', 'check', 'none') })
    checkTopology('declare()', topology)
    requireTopology(this.parts.session.broker, topology)
    await this.parts.session.whenConnected()
    await this.parts.topology.declare(topology, options.mode ?? this.mode)
    this.parts.sender.forgetDestinations()
  }

  async plan(topology: Topology): Promise<readonly PlanItem[]> {
    this.refuseIfOver()
    checkTopology('plan()', topology)
    await this.parts.session.whenConnected()
    return this.parts.session.ask('plan()', (connection) => connection.plan(topology))
  }

  deadLetters(ref: SourceRef): DeadLetters {
    return this.parts.sources.deadLetters(ref)
  }

  async depth(ref: SourceRef): Promise<Depth> {
    return this.parts.sources.depth(ref)
  }

  // What it is and how it is

  get capabilities(): Capabilities {
    return this.parts.session.broker.capabilities
  }

  get native(): Native {
    return this.parts.session.broker.native
  }

  health(): Health {
    const { supervisor, version } = this.parts.session
    const consumers = this.parts.consumers.health()
    const broken =
      supervisor.state === 'up' ? consumers.find((consumer) => consumer.state === 'down') : undefined
    return {
      broker: this.broker,
      version,
      state: broken === undefined ? supervisor.state : 'down',
      since: supervisor.since,
      reason: broken === undefined ? supervisor.reason : `${broken.source}: ${broken.reason ?? 'down'}`,
      error: supervisor.error,
      publishing: this.parts.publisher.inFlight,
      consumers,
    }
  }

  on<Name extends keyof TransportEvents>(
    name: Name,
    listener: (event: TransportEvents[Name]) => void,
  ): () => void {
    return this.parts.hub.on(name, listener)
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
    if (this.parts.consumers.count === 0) this.closed = true
    const consumers = await this.parts.consumers.stop(deadlineMs)
    this.closed = true
    const unconfirmed = await this.parts.publisher.drain(deadline - this.clock.now())
    const over = closedError(this.broker)
    this.parts.session.end(over)
    this.parts.publisher.stop()
    await this.parts.session.supervisor.close(over, Math.max(disconnectGraceMs, deadline - this.clock.now()))
    for (const undo of this.signalListeners) undo()
    const clean = unconfirmed === 0 && consumers.every((report) => report.unfinished.length === 0)
    return { consumers, unconfirmed, clean }
  }

  closeOnSignals(options?: CloseOnSignalsOptions): () => void {
    checkOptions('closeOnSignals()', options ?? {}, { deadlineMs: duration(), onClosed: callback() })
    const undo = closeOnSignals(this, options)
    this.signalListeners.push(undo)
    return undo
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Neither options nor the client underneath are shown: they hold credentials. */
  toJSON(): unknown {
    const { state, publishing, consumers } = this.health()
    return { broker: this.broker, state, publishing, consumers: consumers.map(({ source }) => source) }
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Transport ${JSON.stringify(this)}`
  }

  private refuseIfOver(): void {
    if (this.closed) throw closedError(this.broker)
    if (this.parts.session.fatal !== undefined) throw this.parts.session.fatal
  }
}

function closedError(broker: string): PosthornError {
  return new PosthornError(
    'POSTHORN_CLOSED',
    `The transport to ${broker} is closed. Open a new one to go on.`,
  )
}
