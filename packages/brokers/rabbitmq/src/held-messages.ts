import { fromWire, headersOf } from './from-wire.ts'
import { heldQueue } from './names.ts'
import { note } from './note.ts'
import { Reading } from './reading.ts'
import { isPast, wishHeader } from './wish.ts'
import type { ConsumerParts, ConsumerTarget } from './consumer-parts.ts'
import type { PosthornError, WireMessage } from '@posthorn/transport/driver'
import type { Channel, ConsumeMessage } from 'amqplib'

/** Finds the record that was made. */
const tokenHeader = 'posthorn-hold'
/** How many deliveries the owner of the queue may hold. */
const windowHeader = 'posthorn-window'

/** What is recorded of a message: its state, and the tag by which the record goes. */
export interface HeldRecord {
  readonly tag: number
  readonly message: WireMessage
}

export interface HeldMessagesOptions {
  readonly parts: ConsumerParts
  readonly target: ConsumerTarget
  /** Of their own: what stays open for long would keep those of other queues from being acked together. */
  readonly channel: Channel
  readonly ended: (reason: string) => void
  /** Another instance wants the queue more. */
  readonly wanted: () => void
}

/** Between two looks whether an earlier owner is gone: at first, and at the most. Milliseconds. */
const firstPauseMs = 25
const longestPauseMs = 1_000

/** Milliseconds within which a note is confirmed. */
const noteMs = 30_000

/**
 * What the owner of a queue records for the next one: the state of messages whose key waits, and how many it may hold. The
 * messages themselves stay where they are, in their place and unsettled. The owner keeps the records unsettled, too, so
 * that they go to the next one when it ends.
 */
export class HeldMessages {
  private readonly parts: ConsumerParts
  private readonly rank: number
  private readonly queue: string
  private readonly reading: Reading
  private readonly expected = new Map<string, (tag: number | undefined) => void>()
  /** Of earlier owners, by the id of the message. */
  private readonly found = new Map<string, HeldRecord>()
  private readonly wanted: () => void
  private window: { readonly size: number; readonly tag: number; readonly at: number } | undefined

  constructor({ parts, target, channel, ended, wanted }: HeldMessagesOptions) {
    this.parts = parts
    this.rank = target.rank
    this.wanted = wanted
    this.queue = heldQueue(target.queue)
    this.reading = new Reading({
      parts,
      target: { ...target, queue: this.queue },
      channel,
      window: 1,
      arrived: (raw) => this.arrived(raw),
      ended,
    })
  }

  /** The most that an earlier owner may have held; 0 where there was none. */
  get foundWindow(): number {
    return this.window?.size ?? 0
  }

  /** Starts to read; resolves when all is known that earlier owners recorded, and `window` is recorded. */
  async start(window: number): Promise<void> {
    const { parts, queue, reading } = this
    await parts.openSideQueue(queue)
    // No window: what is held counts as unsettled already.
    await reading.consume(0)
    // Its last owner may be about to end.
    let pauseMs = firstPauseMs
    while (!reading.isOver && (await parts.count(queue)).consumers > 1) {
      const wait = pauseMs
      await new Promise<void>((resolve) => parts.clock.setTimer(resolve, wait))
      pauseMs = Math.min(longestPauseMs, 2 * pauseMs)
    }
    // What came back from others comes before it.
    await this.writeWindow(window)
  }

  /** Records the message; answers the tag of the record, or `undefined` when the channel has ended. */
  hold(message: WireMessage, deadline: number): Promise<number | PosthornError | undefined> {
    return this.record(message, {}, deadline)
  }

  /** A record is done with. */
  finish(tag: number): void {
    this.reading.acks.finish(tag)
    this.reading.acks.flush()
  }

  /** Writes anew what has been unsettled since then: the server has its patience. */
  async refresh(before: number): Promise<void> {
    const { window } = this
    if (window === undefined || window.at > before) return
    await this.writeWindow(window.size)
  }

  /** What an earlier owner recorded of the message, once. */
  take(id: string): HeldRecord | undefined {
    const record = this.found.get(id)
    if (record !== undefined) this.found.delete(id)
    return record
  }

  /** Forgets the records of messages that are not there any more: all that comes again has come. */
  forgetRest(): void {
    if (this.found.size === 0) return
    for (const { tag } of this.found.values()) this.finish(tag)
    this.found.clear()
  }

  /** What is recorded goes to the next owner. Never rejects. */
  async close(): Promise<void> {
    const { reading } = this
    this.void()
    await reading.close()
  }

  /** The channel is gone. */
  void(): void {
    this.reading.void()
    for (const resolve of this.expected.values()) resolve(undefined)
    this.expected.clear()
  }

  private async writeWindow(size: number): Promise<void> {
    const { createId, clock } = this.parts
    const now = clock.now()
    const tag = await this.record(note(createId(), now), { [windowHeader]: String(size) }, now + noteMs)
    if (typeof tag === 'number') this.keepWindow(size, tag)
    else if (tag !== undefined) throw tag
  }

  /** Writes the message and waits until it has come back here. */
  private async record(
    message: WireMessage,
    headers: Readonly<Record<string, string>>,
    deadline: number,
  ): Promise<number | PosthornError | undefined> {
    if (this.reading.isOver) return undefined
    const token = this.parts.createId()
    const arrival = new Promise<number | undefined>((resolve) => this.expected.set(token, resolve))
    const item = { routingKey: this.queue, message, headers: { ...headers, [tokenHeader]: token } }
    const [outcome = 'confirmed'] = await this.parts.publisher.copyToQueues([item], deadline)
    if (outcome === 'confirmed') return arrival
    this.expected.delete(token)
    return outcome
  }

  private arrived(raw: ConsumeMessage): void {
    const { deliveryTag: tag } = raw.fields
    const { [tokenHeader]: token, [windowHeader]: window, [wishHeader]: wish } = headersOf(raw)
    const resolve = typeof token === 'string' ? this.expected.get(token) : undefined
    if (resolve !== undefined) {
      this.expected.delete(token as string)
      resolve(tag)
    } else if (wish !== undefined) this.wished(raw, Number(wish))
    else if (window !== undefined) this.keepWindow(Number(window), tag)
    else this.add(raw)
  }

  /** A wish stays unsettled: who gets the queue next may not be the one who has it either. */
  private wished(raw: ConsumeMessage, rank: number): void {
    const { deliveryTag, redelivered } = raw.fields
    const isOld = redelivered && isPast(this.read(raw), this.parts.clock.now())
    if (rank > this.rank && !isOld) this.wanted()
    else this.finish(deliveryTag)
  }

  private read(raw: ConsumeMessage): WireMessage {
    const { namespace, createId, clock } = this.parts
    return fromWire(raw, { namespace, createId, now: clock.now() }).message
  }

  private add(raw: ConsumeMessage): void {
    const message = this.read(raw)
    const record = { tag: raw.fields.deliveryTag, message }
    const other = this.found.get(message.id)
    // Its owner had no time to remove the one before.
    const [kept, old] = other !== undefined && isLater(other, record) ? [other, record] : [record, other]
    this.found.set(message.id, kept)
    if (old !== undefined) this.finish(old.tag)
  }

  /** Of several, the largest, and of those the last. */
  private keepWindow(size: number, tag: number): void {
    const { window } = this
    if (window !== undefined && window.size > size) return this.finish(tag)
    this.window = { size, tag, at: this.parts.clock.now() }
    if (window !== undefined) this.finish(window.tag)
  }
}

function isLater({ message: one }: HeldRecord, { message: other }: HeldRecord): boolean {
  return one.attempt === other.attempt ? one.trials > other.trials : one.attempt > other.attempt
}
