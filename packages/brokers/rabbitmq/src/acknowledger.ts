import type { Clock } from '@posthorn/transport/driver'
import type { Channel, Message } from 'amqplib'

/** How long a finished delivery waits for a slower one before it. Milliseconds. */
const patienceMs = 5
const maxWaiting = 64

/**
 * Acks the deliveries of one channel in few frames: all up to the oldest that is still open at once, those behind it one
 * by one, a little later.
 */
export class Acknowledger {
  private readonly channel: Pick<Channel, 'ack' | 'nack'>
  private readonly clock: Clock
  /** How many may wait for a slower one before they are acked singly; with a small window it must not fill up. */
  private readonly limit: number
  /** Tags in their order, which is rising. */
  private readonly open = new Set<number>()
  private finished: number[] = []
  private cancelTimer: (() => void) | undefined
  private readonly written: () => void

  /** `written` is called when something was given to the channel. */
  constructor(channel: Pick<Channel, 'ack' | 'nack'>, clock: Clock, window: number, written: () => void) {
    this.written = written
    this.channel = channel
    this.clock = clock
    this.limit = Math.max(1, Math.min(maxWaiting, Math.ceil(window / 4)))
  }

  opened(tag: number): void {
    this.open.add(tag)
  }

  isOpen(tag: number): boolean {
    return this.open.has(tag)
  }

  /** Acked at `flush` or soon after. */
  finish(tag: number): void {
    if (this.open.delete(tag)) this.finished.push(tag)
  }

  /** Back to the queue, at once. */
  giveBack(tag: number): void {
    if (this.open.delete(tag)) this.channel.nack(named(tag), false, true)
  }

  /** All that is open, one by one: what is given back together comes back in the order of its consumers, not its own. */
  giveAllBack(): void {
    for (const tag of this.open) this.channel.nack(named(tag), false, true)
    this.open.clear()
  }

  /** Acks what is before everything open, and the rest where it has waited for long enough. */
  flush(): void {
    if (this.finished.length === 0) return
    this.ackPrefix()
    if (this.finished.length >= this.limit) this.ackAll()
    else if (this.finished.length > 0) this.cancelTimer ??= this.clock.setTimer(() => this.late(), patienceMs)
  }

  /** Acks all that is finished. */
  ackAll(): void {
    this.ackPrefix()
    for (const tag of this.finished) this.channel.ack(named(tag))
    if (this.finished.length > 0) this.written()
    this.finished = []
    this.stop()
  }

  /** Nothing more is written. */
  stop(): void {
    this.cancelTimer?.()
    this.cancelTimer = undefined
  }

  private ackPrefix(): void {
    const oldest = this.open.values().next().value ?? Infinity
    let last = 0
    const rest: number[] = []
    for (const tag of this.finished) {
      if (tag > oldest) rest.push(tag)
      else if (tag > last) last = tag
    }
    if (last === 0) return
    this.finished = rest
    this.channel.ack(named(last), true)
    this.written()
  }

  private late(): void {
    this.cancelTimer = undefined
    this.ackAll()
  }
}

/** All that amqplib reads of a message that is settled. */
function named(deliveryTag: number): Message {
  return { fields: { deliveryTag } } as Message
}
