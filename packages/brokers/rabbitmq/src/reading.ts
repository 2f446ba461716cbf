import { createMatcher } from '@posthorn/transport'
import { Acknowledger } from './acknowledger.ts'
import { describeError } from './errors.ts'
import type { ConsumerParts, ConsumerTarget } from './consumer-parts.ts'
import type { Channel, ConsumeMessage } from 'amqplib'

export interface ReadingOptions {
  readonly parts: ConsumerParts
  readonly target: ConsumerTarget
  readonly channel: Channel
  /** How many may be open at a time. */
  readonly window: number
  arrived(raw: ConsumeMessage): void
  /** It has ended by itself; told once. */
  ended(reason: string): void
}

/** One channel that reads one queue, by one AMQP consumer or several: what arrives on it, its acks and its end. */
export class Reading {
  readonly channel: Channel
  readonly acks: Acknowledger
  /** Of its AMQP consumers, the oldest first. */
  readonly tags: string[] = []
  private readonly options: ReadingOptions
  private readonly name: string
  private readonly matches: ((routingKey: string) => boolean) | undefined
  /** AMQP consumers so far. */
  private count = 0
  private isVoid = false

  constructor(options: ReadingOptions) {
    const { parts, channel, window, target } = options
    const { topic, patterns } = target
    this.matches =
      topic === undefined || patterns.length === 0 || patterns.includes('#')
        ? undefined
        : createMatcher([...patterns])
    this.options = options
    this.channel = channel
    this.name = `posthorn-${parts.createId()}`
    this.acks = new Acknowledger(channel, parts.clock, window, parts.written)
    // Closed by the server: amqplib would still write a close of ours, for which the whole connection would be ended.
    channel.on('error', (error: unknown) => this.lost(describeError(error)))
    // When the whole connection ends, its channels are told first.
    channel.on('close', () => parts.clock.defer(() => this.lost('its channel was closed')))
  }

  get isOver(): boolean {
    return this.isVoid
  }

  /** One more AMQP consumer. */
  async consume(prefetch: number): Promise<void> {
    const { target } = this.options
    await this.channel.prefetch(prefetch)
    this.count += 1
    // Before 4.0, what is held when the channel ends comes back in the order of the names of its consumers.
    const consumerTag = `${this.name}-${String(this.count).padStart(6, '0')}`
    await this.channel.consume(target.queue, (raw) => this.received(raw), { consumerTag })
    this.tags.push(consumerTag)
  }

  async cancelOldest(): Promise<void> {
    const tag = this.tags.shift()
    if (tag !== undefined) await this.channel.cancel(tag)
  }

  async cancelNewest(): Promise<void> {
    const tag = this.tags.pop()
    if (tag !== undefined) await this.channel.cancel(tag)
  }

  /**
   * Acks what is finished, and waits until the server has it: what a channel has not passed on to a quorum queue when it is
   * closed is lost, and a cancel has it passed on. One of another consumer, since with the last one's the queue would go
   * to somebody else. Never rejects.
   */
  async flush(): Promise<void> {
    try {
      this.acks.ackAll()
      await this.consume(1)
      await this.cancelNewest()
      if (!this.isVoid) this.acks.ackAll()
    } catch {
      // The channel is gone, and with it what was not acked.
    }
  }

  /** Gives all back that is open, in order. Never rejects. */
  async close(): Promise<void> {
    this.void()
    await this.channel.close().catch(() => undefined)
  }

  /** Its channel is gone, or of no use any more: nothing is written or told. */
  void(): void {
    this.isVoid = true
    this.acks.stop()
  }

  /** Its queue is gone, and what was in it. */
  deleted(): void {
    this.end('the queue was deleted')
  }

  end(reason: string): void {
    if (this.isVoid) return
    void this.close()
    this.options.ended(reason)
  }

  private lost(reason: string): void {
    if (this.isVoid) return
    this.void()
    this.options.ended(reason)
  }

  private received(raw: ConsumeMessage | null): void {
    if (this.isVoid) return
    if (raw === null) {
      void this.cancelled()
      return
    }
    const { deliveryTag, exchange, routingKey } = raw.fields
    this.acks.opened(deliveryTag)
    if (this.matches === undefined || exchange !== this.options.target.topic || this.matches(routingKey))
      return this.options.arrived(raw)
    this.acks.finish(deliveryTag)
    this.acks.flush()
  }

  /** The broker says that a consumer is no more, and not why. */
  private async cancelled(): Promise<void> {
    const { parts, target } = this.options
    const isThere = await parts.queueExists(target.queue).catch(() => true)
    if (!isThere) return this.deleted()
    this.end('it held deliveries for longer than the server allows')
  }
}
