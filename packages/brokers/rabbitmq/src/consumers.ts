import { watchConsumers } from './consumer-watch.ts'
import { RabbitmqConsumer } from './consumer.ts'
import { Seats, type Seat } from './seats.ts'
import { wishesOf } from './shards.ts'
import { durableQueues, openTargets } from './sources.ts'
import type { ConsumerParts } from './consumer-parts.ts'
import type { Questions } from './questions.ts'
import type { QueueReader } from './queue-reader.ts'
import type { ShardCount } from './shard-count.ts'
import type { ConsumeRequest, DeliverySink, Source } from '@posthorn/transport/driver'
import type { ChannelModel } from 'amqplib'

export interface ConsumersOptions {
  readonly parts: ConsumerParts
  readonly questions: Questions
  readonly shardCount: ShardCount
  readonly model: ChannelModel
}

/** The consumers of one connection. */
export class RabbitmqConsumers {
  private readonly options: ConsumersOptions
  private readonly seats: Seats
  private readonly all = new Set<RabbitmqConsumer>()
  private readonly stopWatching: () => void

  constructor(options: ConsumersOptions) {
    const { parts, questions } = options
    this.options = options
    this.seats = new Seats(questions)
    this.stopWatching = watchConsumers({
      clock: parts.clock,
      readers: () => this.readers(),
      consumerCount: async (queue) => (await parts.count(queue)).consumers,
    })
  }

  /** Rejects with what amqplib says. */
  async open(source: Source, request: ConsumeRequest, sink: DeliverySink): Promise<RabbitmqConsumer> {
    const { parts, questions, model } = this.options
    const shards = await this.shardsOf(source, request)
    let seat: Seat | undefined
    if (shards > 1 && request.order === 'key')
      seat = await this.seats.take(durableQueues(parts.namespace, source).queue, shards)
    try {
      const wishes = wishesOf(seat?.number, shards)
      const consumer = await RabbitmqConsumer.open({
        parts,
        targets: await openTargets(parts.namespace, source, questions, parts.createId, wishes),
        request,
        sink,
        openChannel: () => model.createChannel(),
        left: (over) => {
          this.all.delete(over)
          void seat?.leave()
        },
      })
      this.all.add(consumer)
      parts.clock.defer(() => consumer.begin())
      return consumer
    } catch (error) {
      void seat?.leave()
      throw error
    }
  }

  /** A queue turned out to be missing. One that is made again at once has no consumers, and the server may not say so. */
  isMissing(queue: string): void {
    for (const reader of this.readers()) if (reader.queue === queue) reader.deleted()
  }

  async close(): Promise<void> {
    this.stopWatching()
    await Promise.all([...this.all].map((consumer) => consumer.close()))
  }

  /** The connection is gone. */
  void(): void {
    this.stopWatching()
    for (const consumer of this.all) consumer.void()
    this.all.clear()
  }

  private async shardsOf(source: Source, { order }: ConsumeRequest): Promise<number> {
    const { parts, shardCount } = this.options
    if (source.kind === 'inbox' || source.kind === 'ephemeral') return 1
    if (order === 'none' && source.shards === 1) return 1
    return shardCount.ask(durableQueues(parts.namespace, source).queue, source.shards)
  }

  private readers(): readonly QueueReader[] {
    return [...this.all].flatMap(({ readers }) => readers)
  }
}
