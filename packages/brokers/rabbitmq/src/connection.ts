import { createIdFactory, sourceName } from '@posthorn/transport/driver'
import { parseUrl } from './broker-url.ts'
import { exists } from './compare-queue.ts'
import { describeCapabilities } from './capabilities.ts'
import { watchConsumers } from './consumer-watch.ts'
import { RabbitmqConsumer } from './consumer.ts'
import { RabbitmqDeadLetterPass } from './dead-letters.ts'
import { Delays } from './delays.ts'
import { Dispatcher } from './dispatcher.ts'
import { connectionLost, deadLettersBusy, describeError, notWritten, toRabbitmqError } from './errors.ts'
import { Ladder } from './ladder.ts'
import { LostMessages } from './lost-messages.ts'
import { Management } from './management.ts'
import { Publisher } from './publisher.ts'
import { sideQueueArguments } from './queue-arguments.ts'
import { Questions } from './questions.ts'
import { durableQueues, openTarget } from './sources.ts'
import { RabbitmqTopology } from './topology.ts'
import type { ConsumerParts } from './consumer-parts.ts'
import type { Link } from './open-link.ts'
import type { RabbitmqSettings } from './options.ts'
import type {
  Capabilities,
  ConsumeRequest,
  DeadLetterPass,
  DeliverySink,
  Depth,
  Destination,
  DriverConnection,
  DriverConsumer,
  DriverHost,
  PlanItem,
  PublishOutcome,
  Source,
  Topology,
  WireMessage,
} from '@posthorn/transport/driver'
import type { ChannelModel } from 'amqplib'

/** The two connections underneath. A resource alarm stops the broker from reading one that publishes. */
export interface RabbitmqNative {
  readonly publishing: ChannelModel
  readonly consuming: ChannelModel
}

/** How long a goodbye may take. Milliseconds. */
const goodbyeMs = 1_000

/** How long messages that had lost their way may take to be sent home. Milliseconds. */
const rescueMs = 10_000

export class RabbitmqConnection implements DriverConnection<RabbitmqNative> {
  readonly version: string | undefined
  readonly capabilities: Capabilities
  readonly native: RabbitmqNative
  private readonly host: DriverHost
  private readonly links: readonly Link[]
  private readonly questions: Questions
  private readonly ladder: Ladder
  private readonly publisher: Publisher
  private readonly dispatcher: Dispatcher
  private readonly topology: RabbitmqTopology
  private readonly lost: LostMessages
  private readonly management: Management | undefined
  private readonly parts: ConsumerParts
  private readonly consumers = new Set<RabbitmqConsumer>()
  /** Dead-letter queues with a pass of this connection, which its own lock does not keep out. */
  private readonly passes = new Set<string>()
  private readonly stopWatching: () => void
  private isLive = true
  private serial = 0

  constructor(publishing: Link, consuming: Link, host: DriverHost, settings: RabbitmqSettings) {
    this.host = host
    this.links = [publishing, consuming]
    this.version = consuming.version
    this.capabilities = describeCapabilities(this.version, settings)
    this.native = { publishing: publishing.model, consuming: consuming.model }
    const { namespace, clock } = host
    this.questions = new Questions(consuming.model)
    this.ladder = new Ladder(consuming.model, this.questions)
    this.publisher = new Publisher(publishing, namespace, clock, (queue) => this.queueIsMissing(queue))
    const delays = new Delays(this.publisher, this.ladder)
    this.dispatcher = new Dispatcher({ publisher: this.publisher, delays, namespace, clock })
    this.topology = new RabbitmqTopology(this.questions, this.ladder, namespace, settings.queueType)
    const createId = createIdFactory(clock)
    this.parts = {
      clock,
      namespace,
      publisher: this.publisher,
      delays,
      createId: () => createId(),
      isLive: () => this.isLive,
      forget: (consumer) => this.consumers.delete(consumer),
      nextSerial: () => (this.serial += 1),
      queueExists: (queue) => exists(this.questions, 'queue', queue),
      openSideQueue: async (queue) => {
        const options = { durable: true, arguments: sideQueueArguments }
        return (await this.questions.ask((channel) => channel.assertQueue(queue, options))).messageCount
      },
    }
    this.lost = new LostMessages({
      model: consuming.model,
      questions: this.questions,
      publisher: this.publisher,
      readingContext: () => ({ namespace, createId: () => createId(), now: clock.now() }),
    })
    const { managementUrl, urls } = settings
    const virtualHost = parseUrl(urls[0] ?? '').connect.vhost ?? '%2F'
    this.management =
      managementUrl === undefined ? undefined : new Management(managementUrl, virtualHost, clock)
    this.stopWatching = watchConsumers({
      clock,
      consumers: this.consumers,
      consumerCount: async (queue) =>
        (await this.questions.ask((channel) => channel.checkQueue(queue))).consumerCount,
    })
    for (const { model } of this.links)
      model.on('close', (error) => this.die(describeError(error ?? 'closed')))
    publishing.model.on('blocked', (reason) => this.block(reason))
    publishing.model.on('unblocked', () => this.block(undefined))
  }

  /** Resolves when it can be used. */
  ready(): Promise<void> {
    return this.publisher.ready()
  }

  async declare(topology: Topology, mode: 'create' | 'check'): Promise<void> {
    await this.topology.declare(topology, mode)
    if (mode === 'check' || (topology.queues ?? topology.subscriptions) === undefined) return
    // A help, of which nothing that is declared depends.
    await this.lost.look(this.host.clock.now() + rescueMs).catch(() => undefined)
  }

  plan(topology: Topology): Promise<readonly PlanItem[]> {
    return this.topology.plan(topology)
  }

  publish(
    destination: Destination,
    batch: readonly WireMessage[],
    deadline: number,
  ): Promise<readonly PublishOutcome[]> {
    if (!this.isLive) {
      const error = notWritten('it was closed')
      return Promise.resolve(batch.map(() => error))
    }
    return this.dispatcher.publish(destination, batch, deadline)
  }

  async consume(source: Source, request: ConsumeRequest, sink: DeliverySink): Promise<DriverConsumer> {
    const name = sourceName(source)
    try {
      const target = await openTarget(this.host.namespace, source, this.questions, this.parts.createId)
      const channel = await this.native.consuming.createChannel()
      const consumer = new RabbitmqConsumer(this.parts, target, request, sink, channel)
      try {
        await consumer.start()
      } catch (error) {
        consumer.void()
        channel.close().catch(() => undefined)
        throw error
      }
      this.consumers.add(consumer)
      this.host.clock.defer(() => consumer.begin())
      return consumer
    } catch (error) {
      throw toRabbitmqError(error, `the ${source.kind} "${name}"`, { phase: 'receive' })
    }
  }

  async countDeadLetters(source: Source): Promise<number> {
    const { deadLetterQueue } = durableQueues(this.host.namespace, source)
    return this.count(deadLetterQueue, `the dead-letter queue of "${sourceName(source)}"`)
  }

  async openDeadLetters(source: Source, cursor: string | undefined): Promise<DeadLetterPass> {
    const { queue, deadLetterQueue } = durableQueues(this.host.namespace, source)
    if (this.passes.has(deadLetterQueue)) throw deadLettersBusy(sourceName(source))
    this.passes.add(deadLetterQueue)
    const onClosed = (): boolean => this.passes.delete(deadLetterQueue)
    try {
      const target = { source, queue, deadLetterQueue }
      const openChannel = (): ReturnType<ChannelModel['createChannel']> =>
        this.native.consuming.createChannel()
      return await RabbitmqDeadLetterPass.open(this.parts, target, cursor, openChannel, onClosed)
    } catch (error) {
      onClosed()
      throw toRabbitmqError(error, `the dead letters of "${sourceName(source)}"`, { phase: 'receive' })
    }
  }

  async depth(source: Source): Promise<Depth> {
    const name = sourceName(source)
    const { queue, deadLetterQueue } = durableQueues(this.host.namespace, source)
    const statistics = await this.management?.statistics(queue)
    return {
      ready: await this.count(queue, `the ${source.kind} "${name}"`),
      // The steps are shared by all sources.
      delayed: undefined,
      inFlight: statistics?.inFlight,
      deadLettered: await this.count(deadLetterQueue, `the dead-letter queue of "${name}"`),
      oldestAgeMs: undefined,
      lag: undefined,
    }
  }

  async close(): Promise<void> {
    if (!this.isLive) return
    this.stopWatching()
    const goodbye = this.sayGoodbye()
    await new Promise<void>((resolve) => {
      const cancel = this.host.clock.setTimer(resolve, goodbyeMs)
      void goodbye.finally(() => {
        cancel()
        resolve()
      })
    })
    this.isLive = false
    for (const { socket } of this.links) socket.destroy()
  }

  private async sayGoodbye(): Promise<void> {
    await Promise.all([...this.consumers].map((consumer) => consumer.close()))
    this.isLive = false
    await Promise.allSettled(this.links.map(({ model }) => model.close()))
  }

  /** Either connection has ended: the other is of no use without it. */
  private die(reason: string): void {
    if (!this.isLive) return
    this.isLive = false
    this.stopWatching()
    for (const consumer of this.consumers) consumer.void()
    this.consumers.clear()
    const error = connectionLost(reason)
    // Ends what amqplib still waits for: the outcomes of what was published, and every question.
    for (const { socket } of this.links) socket.destroy()
    this.host.clock.defer(() => this.host.lost(error))
  }

  /** A queue that is made again at once has no consumers, and the server does not always say so. */
  private queueIsMissing(queue: string): void {
    for (const consumer of this.consumers) if (consumer.queue === queue) consumer.deleted()
  }

  private block(reason: string | undefined): void {
    if (this.isLive) this.host.blocked(reason)
  }

  private async count(queue: string, what: string): Promise<number> {
    try {
      return (await this.questions.ask((channel) => channel.checkQueue(queue))).messageCount
    } catch (error) {
      throw toRabbitmqError(error, what, { phase: 'receive' })
    }
  }
}
