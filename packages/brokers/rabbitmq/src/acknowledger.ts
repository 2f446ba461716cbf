import type { Clock } from '@posthorn/transport/driver'
import type { Channel, Message } from 'amqplib'

/** How long a finished delivery waits for others, and for a slower one before it. Milliseconds. */
const patienceMs = 5
/** How many wait to be acked in one frame: to a quorum queue a frame is a command that it writes to its log. */
const maxTogether = 256
/** With windows up to this size nothing that is in order waits: they may be as small as the consumer's concurrency, and then each that waits is a handler less. */
const smallWindow = 256
/** How many wait for a slower one, to be acked one by one in the end. */
const maxBehind = 64

/**
 * Acks the deliveries of one channel in few frames: all up to the oldest that is still open in one, those behind it one by
 * one, when there are enough of them or a little later.
 */
export class Acknowledger {
  private readonly channel: Pick<Channel, 'ack' | 'nack'>
  private readonly clock: Clock
  /** What waits here is in the server's way, so there must be room for more in the window. */
  private limit = 1
  /** How many that are in order are acked without waiting for more. */
  private together = 1
  /** Tags in their order, which is rising. */
  private readonly open = new Set<number>()
  private finished: number[] = []
  /** The last tag that has been finished. */
  private highest = 0
  private cancelTimer: (() => void) | undefined
  private readonly written: () => void

  /** `written` is called when something was given to the channel. */
  constructor(channel: Pick<Channel, 'ack' | 'nack'>, clock: Clock, window: number, written: () => void) {
    this.written = written
    this.channel = channel
    this.clock = clock
    this.resize(window)
  }

  /** The window is another one now. */
  resize(window: number): void {
    this.limit = Math.max(1, Math.ceil(window / 4))
    this.together = window <= smallWindow ? 1 : maxTogether
    this.flush()
  }

  opened(tag: number): void {
    this.open.add(tag)
  }

  isOpen(tag: number): boolean {
    return this.open.has(tag)
  }

  /** Acked at `flush` or soon after. */
  finish(tag: number): void {
    if (!this.open.delete(tag)) return
    this.finished.push(tag)
    if (tag > this.highest) this.highest = tag
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

  /** Acks when enough is finished, or a little later. */
  flush(): void {
    if (this.isDue(this.together) || (this.isDue(maxBehind) && this.isBehind)) this.ackPrefix()
    if (this.isDue(maxBehind) && this.isBehind) this.ackAll()
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

  private isDue(most: number): boolean {
    return this.finished.length >= Math.min(most, this.limit)
  }

  /** Whether something that is finished waits for a slower one. */
  private get isBehind(): boolean {
    return this.oldest < this.highest
  }

  private get oldest(): number {
    return this.open.values().next().value ?? Infinity
  }

  private ackPrefix(): void {
    const { oldest } = this
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
