import { createIdFactory, sourceName } from '@posthorn/transport/driver'
import { exists } from './compare-queue.ts'
import { describeCapabilities } from './capabilities.ts'
import { RabbitmqConsumers } from './consumers.ts'
import { RabbitmqDeadLetterPass } from './dead-letters.ts'
import { Delays } from './delays.ts'
import { Dispatcher } from './dispatcher.ts'
import { connectionLost, deadLettersBusy, describeError, notWritten, toRabbitmqError } from './errors.ts'
import { Ladder } from './ladder.ts'
import { LostMessages } from './lost-messages.ts'
import { MissingQueues } from './missing-queues.ts'
import { Publisher } from './publisher.ts'
import { sideQueueArguments } from './queue-arguments.ts'
import { Questions } from './questions.ts'
import { QuorumQueues } from './quorum-queues.ts'
import { ShardCount } from './shard-count.ts'
import { shardQueues } from './shards.ts'
import { isAtLeast } from './server-version.ts'
import { sourceDepth } from './source-depth.ts'
import { durableQueues } from './sources.ts'
import { RabbitmqTopology } from './topology.ts'
import { writeAtOnce } from './write-at-once.ts'
import type { ConsumerParts } from './consumer-parts.ts'
import type { Management } from './management.ts'
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
  private readonly missing: MissingQueues
  private readonly queueType: 'quorum' | 'classic'
  private readonly quorumQueues = new QuorumQueues()
  private readonly shardCount: ShardCount
  private readonly lost: LostMessages
  private readonly management: Management | undefined
  private readonly parts: ConsumerParts
  private readonly consumers: RabbitmqConsumers
  /** Dead-letter queues with a pass of this connection, which its own lock does not keep out. */
  private readonly passes = new Set<string>()
  private isLive = true
  private serial = 0

  constructor(
    publishing: Link,
    consuming: Link,
    host: DriverHost,
    settings: RabbitmqSettings,
    management: Management | undefined,
  ) {
    this.host = host
    this.links = [publishing, consuming]
    this.version = consuming.version
    this.capabilities = describeCapabilities(this.version, settings, publishing.frameMax)
    this.native = { publishing: publishing.model, consuming: consuming.model }
    const { namespace, clock } = host
    this.questions = new Questions(consuming.model)
    this.ladder = new Ladder(consuming.model, this.questions)
    this.publisher = new Publisher(publishing, namespace, clock, {
      missing: (queue) => this.queueIsMissing(queue),
      isQuorum: (queue) => this.quorumQueues.has(queue),
    })
    // From 4.0 to 4.2, which of two priorities is at the head depends on how many went before.
    const keepsPriority = !isAtLeast(this.version, 4, 0) || isAtLeast(this.version, 4, 3)
    const delays = new Delays(this.publisher, this.ladder, keepsPriority)
    this.dispatcher = new Dispatcher({ publisher: this.publisher, delays, namespace, clock })
    this.missing = new MissingQueues(clock)
    this.shardCount = new ShardCount(this.questions, clock)
    this.queueType = settings.queueType
    this.topology = new RabbitmqTopology(this.questions, this.ladder, namespace, this.queueType, this.missing)
    const createId = createIdFactory(clock)
    this.parts = {
      clock,
      namespace,
      publisher: this.publisher,
      delays,
      createId: () => createId(),
      maxHoldMs: settings.maxHoldMs,
      written: writeAtOnce(consuming),
      isLive: () => this.isLive,
      nextSerial: () => (this.serial += 1),
      queueExists: async (queue) => {
        const isThere = await exists(this.questions, 'queue', queue)
        if (!isThere) this.missing.add(queue)
        return isThere
      },
      count: (queue) => this.countOf(queue),
      openSideQueue: async (queue) => {
        const options = { durable: true, arguments: sideQueueArguments }
        const { consumerCount } = await this.questions.ask((channel) => channel.assertQueue(queue, options))
        return consumerCount
      },
    }
    this.consumers = new RabbitmqConsumers({
      parts: this.parts,
      questions: this.questions,
      shardCount: this.shardCount,
      model: consuming.model,
    })
    this.lost = new LostMessages({
      model: consuming.model,
      questions: this.questions,
      publisher: this.publisher,
      readingContext: () => ({ namespace, createId: () => createId(), now: clock.now() }),
    })
    this.management = management
    for (const { model } of this.links) {
      let reason: unknown = 'closed'
      // The client's own complaint, such as of a frame that it did not expect; its close then says nothing.
      model.on('error', (error) => (reason = error))
      model.on('close', (error) => this.die(describeError(error ?? reason)))
    }
    publishing.model.on('blocked', (reason) => this.block(reason))
    publishing.model.on('unblocked', () => this.block(undefined))
  }

  /** Resolves when it can be used. Either link may have ended before it was listened to: only an answer shows that. */
  async ready(): Promise<void> {
    await Promise.all([this.publisher.ready(), this.questions.ready()])
  }

  async declare(topology: Topology, mode: 'create' | 'check'): Promise<void> {
    const names = await this.topology.declare(topology, mode)
    if (mode === 'create' && this.queueType === 'quorum') this.quorumQueues.add(names)
    // A help, which nothing that is declared waits for.
    if (mode === 'create') void this.lost.look(names)
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
    try {
      return await this.consumers.open(source, request, sink)
    } catch (error) {
      throw toRabbitmqError(error, `the ${source.kind} "${sourceName(source)}"`, { phase: 'receive' })
    }
  }

  async countDeadLetters(source: Source): Promise<number> {
    const { deadLetterQueue } = durableQueues(this.host.namespace, source)
    return this.count(deadLetterQueue, `the dead-letter queue of "${sourceName(source)}"`)
  }

  async openDeadLetters(source: Source, cursor: string | undefined): Promise<DeadLetterPass> {
    const { queue, shards, deadLetterQueue } = durableQueues(this.host.namespace, source)
    if (this.passes.has(deadLetterQueue)) throw deadLettersBusy(sourceName(source))
    this.passes.add(deadLetterQueue)
    const onClosed = (): boolean => this.passes.delete(deadLetterQueue)
    try {
      const target = { source, queue, shards: await this.shardCount.ask(queue, shards), deadLetterQueue }
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
    const { queue, shards, deadLetterQueue } = durableQueues(this.host.namespace, source)
    return sourceDepth({
      queues: shardQueues(queue, await this.shardCount.recent(queue, shards)),
      management: this.management,
      ready: (one) => this.count(one, `the ${source.kind} "${name}"`),
      deadLettered: () => this.count(deadLetterQueue, `the dead-letter queue of "${name}"`),
    })
  }

  async close(): Promise<void> {
    if (!this.isLive) return
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
    await this.consumers.close()
    this.isLive = false
    await Promise.allSettled(this.links.map(({ model }) => model.close()))
  }

  /** Either connection has ended: the other is of no use without it. */
  private die(reason: string): void {
    if (!this.isLive) return
    this.isLive = false
    this.consumers.void()
    const error = connectionLost(reason)
    // Ends what amqplib still waits for: the outcomes of what was published, and every question.
    for (const { socket } of this.links) socket.destroy()
    this.host.clock.defer(() => this.host.lost(error))
  }

  private queueIsMissing(queue: string): void {
    this.missing.add(queue)
    this.consumers.isMissing(queue)
  }

  private block(reason: string | undefined): void {
    if (this.isLive) this.host.blocked(reason)
  }

  private async countOf(queue: string): Promise<{ readonly ready: number; readonly consumers: number }> {
    const { messageCount, consumerCount } = await this.questions.ask((channel) => channel.checkQueue(queue))
    return { ready: messageCount, consumers: consumerCount }
  }

  private async count(queue: string, what: string): Promise<number> {
    try {
      return (await this.countOf(queue)).ready
    } catch (error) {
      throw toRabbitmqError(error, what, { phase: 'receive' })
    }
  }
}
