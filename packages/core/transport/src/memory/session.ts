import { deadLetterFailed, settlementFailed, unsupported } from './errors.ts'
import { Entry } from './entry.ts'
import { HeldList } from './held-list.ts'
import { allOf } from './outcomes.ts'
import type { Consumer } from './consumer.ts'
import type { Lane } from './key-lanes.ts'
import type { Line } from './line.ts'
import type { BrokerParts } from './parts.ts'
import type { Delivery, Scope, SettleItem, SettleOutcome } from '../contract/driver.ts'
import type { WireMessage } from '../contract/wire-message.ts'

/** One consumer's hold on one line: what it has in hand, and how much more it may get. */
export class Session implements Scope {
  readonly name: string
  readonly line: Line
  readonly consumer: Consumer
  /** Keys of which it holds deliveries and more are parked, the one to look at next first. */
  readonly lanes: Set<Lane> = new Set()
  readonly held: HeldList = new HeldList()
  window = 0
  /** Being taken back: it gets nothing more. */
  isClosing = false
  /** Resolves when it has been. */
  takenBack: Promise<void> | undefined = undefined
  /** Its connection does not reach the broker: it gets nothing for now. */
  isInterrupted = false
  private readonly parts: BrokerParts
  /** Milliseconds until a delivery, or with it the scope, is taken back. */
  private readonly leaseMs: number
  private isEnded = false
  private batch: Entry[] = []

  constructor(name: string, line: Line, consumer: Consumer, parts: BrokerParts) {
    this.name = name
    this.line = line
    this.consumer = consumer
    this.parts = parts
    const { lease } = parts.settings
    this.leaseMs = (lease.scope === 'delivery' ? lease.durationMs : lease.maxHoldMs) ?? Infinity
    parts.leases.add(this)
  }

  get free(): number {
    return this.isClosing || this.isInterrupted || this.isEnded ? 0 : this.window - this.held.size
  }

  get isOpen(): boolean {
    return !this.isEnded
  }

  /** Puts an entry into the next batch. */
  take(entry: Entry, now: number): void {
    entry.scope = this
    entry.place = 'held'
    entry.deadline = now + this.leaseMs
    this.held.push(entry)
    this.batch.push(entry)
  }

  deliver(): void {
    const { batch } = this
    if (batch.length === 0) return
    this.batch = []
    if (this.isEnded) return
    if (this.isClosing) {
      for (const entry of batch) if (this.holds(entry)) this.putBack(entry, false)
      this.line.wake()
      return
    }
    if (this.leaseMs !== Infinity) this.parts.leases.granted((batch[0] as Entry).deadline)
    this.consumer.sink.deliver(this, batch)
  }

  resize(window: number): void {
    if (this.isEnded) return
    const grows = window > this.window
    this.window = window
    if (grows) this.line.wake()
  }

  settle(items: readonly SettleItem[]): readonly SettleOutcome[] {
    const usual = this.parts.settings.confirm
    let outcomes: SettleOutcome[] | undefined
    for (let index = 0; index < items.length; index++) {
      const outcome = this.settleOne(items[index] as SettleItem)
      if (outcome === usual && outcomes === undefined) continue
      outcomes ??= new Array<SettleOutcome>(index).fill(usual)
      outcomes.push(outcome)
    }
    this.line.wake()
    return outcomes ?? allOf(usual, items.length)
  }

  /** Leases begin anew; a hold of the scope does not. */
  renew(deliveries: readonly Delivery[]): readonly SettleOutcome[] {
    const now = this.parts.clock.now()
    return deliveries.map((delivery) => {
      if (!this.holds(delivery)) return 'lost'
      if (this.parts.settings.lease.scope === 'delivery') {
        this.held.remove(delivery)
        delivery.deadline = now + this.leaseMs
        this.held.push(delivery)
      }
      return 'confirmed'
    })
  }

  /** Takes back what is overdue; answers when to look again. Epoch milliseconds. */
  expire(now: number): number {
    const overdue = this.held.first
    if (overdue === undefined) return Infinity
    if (overdue.deadline > now) return overdue.deadline
    if (this.parts.settings.lease.scope === 'session') {
      this.consumer.loseSession(this, `a delivery was held for longer than ${this.leaseMs} ms`)
      return Infinity
    }
    this.endLeases(now)
    return this.held.first?.deadline ?? Infinity
  }

  /** Leases that end by `now` end; their deliveries count. */
  endLeases(now: number): void {
    for (let entry = this.held.first; entry !== undefined && entry.deadline <= now; entry = this.held.first) {
      this.putBack(entry, true)
    }
    this.line.wake()
  }

  /** Ends the session; all that it holds goes back at once. */
  end(counted: boolean): void {
    if (this.isEnded) return
    this.isEnded = true
    for (let entry = this.held.first; entry !== undefined; entry = this.held.first)
      this.putBack(entry, counted)
    this.parts.leases.remove(this)
    this.line.leave(this)
  }

  /** Ends it and forgets all that it holds. */
  abandon(): void {
    this.isEnded = true
    for (let entry = this.held.first; entry !== undefined; entry = this.held.first) this.drop(entry)
    this.parts.leases.remove(this)
    this.line.leave(this)
  }

  private holds(delivery: Delivery): delivery is Entry {
    return delivery instanceof Entry && delivery.scope === this && delivery.place === 'held'
  }

  private settleOne(item: SettleItem): SettleOutcome {
    const { delivery: entry, verb } = item
    const { faults, settings } = this.parts
    if (!this.holds(entry)) return 'lost'
    if (faults.settlements > 0) {
      faults.settlements--
      return settlementFailed(verb)
    }
    switch (verb) {
      case 'ack':
        this.drop(entry)
        this.line.queue.removed(entry)
        return settings.confirm
      case 'retry':
        return this.sendBack(
          entry,
          this.next(entry, settings.attemptCount ? item.message : entry.kept, 1),
          item.delayMs,
        )
      case 'release':
        return this.sendBack(entry, this.released(entry, item), item.delayMs)
      case 'hold':
        if (settings.holdKey && settings.keyOrder) entry.kept = item.message
        return 'confirmed'
      case 'deadLetter':
        return this.deadLetter(entry, item)
    }
  }

  private released(entry: Entry, item: SettleItem): Entry {
    if (this.parts.settings.release === 'counted') return this.next(entry, entry.kept, 1)
    // A release that the message records is a hand-out that counts; one that it does not record must not count.
    return this.next(entry, item.message, Math.max(0, item.message.releases - entry.message.releases))
  }

  /** The entry's next hand-out, after `counted` that count. */
  private next(entry: Entry, message: WireMessage, counted: number): Entry {
    const { attemptCount, deliveryCount } = this.parts.settings
    const deliveries = deliveryCount ? entry.deliveries + counted : 1
    if (attemptCount || counted === 0) return entry.again(message, deliveries)
    return entry.again({ ...message, attempt: message.attempt + counted }, deliveries)
  }

  private sendBack(entry: Entry, again: Entry, delayMs: number): SettleOutcome {
    const { settings, schedule, clock } = this.parts
    if (delayMs > 0 && !settings.delay)
      return unsupported('a delay before a message comes again', 'Retry with delayMs 0.', 'settle')
    const { queue } = this.line
    queue.replace(entry, again)
    if (delayMs > 0) {
      again.place = 'delayed'
      schedule.add(this.line, again, clock.now() + delayMs)
    } else this.line.backlog.putBack(again)
    this.drop(entry)
    return settings.confirm
  }

  private deadLetter(entry: Entry, item: SettleItem): SettleOutcome {
    const { faults, settings } = this.parts
    const { queue } = this.line
    const deadLetters = this.consumer.deadLetters()
    if (item.record === undefined || deadLetters === undefined) {
      return unsupported(`dead letters of "${queue.name}"`, 'Ack what cannot be handled.', 'settle')
    }
    if (faults.deadLetters > 0) {
      faults.deadLetters--
      return deadLetterFailed(deadLetters.name)
    }
    deadLetters.addLetter(item.message, item.record)
    this.drop(entry)
    queue.removed(entry)
    return settings.confirm
  }

  private putBack(entry: Entry, counted: boolean): void {
    const again = this.next(entry, entry.kept, counted ? 1 : 0)
    this.line.queue.replace(entry, again)
    this.line.backlog.putBack(again)
    this.drop(entry)
  }

  /** What goes back must be back already. */
  private drop(entry: Entry): void {
    this.held.remove(entry)
    entry.place = 'spent'
    if (entry.lane !== undefined) this.line.lanes.leave(entry)
  }
}
