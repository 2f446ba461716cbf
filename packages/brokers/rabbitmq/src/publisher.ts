import { queueFull, queueRefused, topicRefused, unroutable } from './errors.ts'
import { fitHeaders, headerRoom } from './fit-headers.ts'
import { ownObjects } from './names.ts'
import { PublishLane, type LaneTarget } from './publish-lane.ts'
import { writeAtOnce } from './write-at-once.ts'
import type { Link } from './open-link.ts'
import type { Outgoing } from './publish-batch.ts'
import type { Clock, PosthornError, PublishOutcome } from '@posthorn/transport/driver'
import type { ChannelModel, ConfirmChannel } from 'amqplib'

/** Channels that are kept for topics that nobody publishes to. */
const maxIdleLanes = 100

/** What is known, and learnt here, of queues by their names on the broker. */
export interface QueueFacts {
  /** Told of those that turn out not to be there. */
  missing(queue: string): void
  /** For sure; what it refuses is not in it. */
  isQuorum(queue: string): boolean
}

/** Writes messages, each lane of them on a channel of its own, and says what became of each. */
export class Publisher {
  private readonly model: ChannelModel
  private readonly namespace: string
  private readonly clock: Clock
  private readonly lanes = new Map<string, PublishLane>()
  private readonly queues: QueueFacts
  private readonly written: () => void
  private readonly fitted: (copy: Outgoing) => Outgoing

  constructor(link: Link, namespace: string, clock: Clock, queues: QueueFacts) {
    const room = headerRoom(link.frameMax)
    this.fitted = (copy) => fitHeaders(copy, namespace, room)
    this.model = link.model
    this.written = writeAtOnce(link)
    this.queues = queues
    this.namespace = namespace
    this.clock = clock
  }

  /** Opens the channel of queues, so that no first message waits for it. Rejects when that cannot be. */
  ready(): Promise<void> {
    return this.lane('').ready()
  }

  /** Copies of messages that others may have sent, to queues. */
  copyToQueues(copies: readonly Outgoing[], deadline: number): Promise<readonly PublishOutcome[]> {
    return this.toQueues(copies.map(this.fitted), deadline)
  }

  /** To queues, by their names; what no queue takes is `rejected`. */
  toQueues(items: readonly Outgoing[], deadline: number): Promise<readonly PublishOutcome[]> {
    return this.lane('').publish(items, deadline)
  }

  /** To whichever group matches. */
  toTopic(
    exchange: string,
    items: readonly Outgoing[],
    deadline: number,
  ): Promise<readonly PublishOutcome[]> {
    return this.lane(exchange).publish(items, deadline)
  }

  /** To the first step of the ladder that their headers name. */
  toLadder(items: readonly Outgoing[], deadline: number): Promise<readonly PublishOutcome[]> {
    return this.lane(ownObjects.delay).publish(items.map(this.fitted), deadline)
  }

  /** To where their headers say that they belong. */
  toReturns(items: readonly Outgoing[], deadline: number): Promise<readonly PublishOutcome[]> {
    return this.lane(ownObjects.returns).publish(items.map(this.fitted), deadline)
  }

  private lane(exchange: string): PublishLane {
    const known = this.lanes.get(exchange)
    if (known !== undefined) return known
    this.makeRoom()
    const lane = new PublishLane(
      this.target(exchange),
      this.namespace,
      this.clock,
      () => this.open(exchange),
      this.written,
    )
    this.lanes.set(exchange, lane)
    return lane
  }

  private async open(exchange: string): Promise<ConfirmChannel> {
    const channel = await this.model.createConfirmChannel()
    // Without a listener an error would end the connection.
    channel.on('error', () => undefined)
    // A missing exchange has to be known before anything is written.
    if (exchange !== '') await channel.checkExchange(exchange)
    return channel
  }

  private makeRoom(): void {
    if (this.lanes.size < maxIdleLanes) return
    for (const [exchange, lane] of this.lanes) {
      if (exchange === '' || !lane.isIdle) continue
      this.lanes.delete(exchange)
      lane.close()
      return
    }
  }

  private target(exchange: string): LaneTarget {
    const mandatory = {
      exchange,
      unroutable: ({ routingKey }: Outgoing): PosthornError => unroutable(routingKey),
      refused: ({ routingKey }: Outgoing): PosthornError => queueFull(routingKey),
    }
    if (exchange === '') {
      const { queues } = this
      return {
        ...mandatory,
        refused: ({ routingKey }) =>
          queues.isQuorum(routingKey) ? queueFull(routingKey) : queueRefused(routingKey),
        missing: ({ routingKey }) => queues.missing(routingKey),
      }
    }
    if (exchange === ownObjects.delay || exchange === ownObjects.returns) return mandatory
    return { exchange, unroutable: undefined, refused: () => topicRefused(exchange) }
  }
}
