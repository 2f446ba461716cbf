import { describeError } from './errors.ts'
import { deliveriesOf } from './from-wire.ts'
import { HeldMessages } from './held-messages.ts'
import { Intake } from './intake.ts'
import { Reading } from './reading.ts'
import { Settler, type DeliveryToken } from './settler.ts'
import { toDelivery } from './to-delivery.ts'
import type { ReaderParts } from './queue-reader.ts'
import type { Delivery, Scope, SettleItem, SettleOutcome } from '@posthorn/transport/driver'
import type { Channel, ConsumeMessage } from 'amqplib'

/** What an ownership tells its reader. */
export interface OwnershipListener {
  /** The queue is ours; the first window that the runner gives. */
  assigned(size: number): void
  /** An earlier owner may have held so many: all of that has to be here before any of it can be handed out. */
  tooSmall(most: number): void
  /** Another instance wants the queue more. */
  wanted(): void
}

/**
 * One time of waiting for a queue with a single active consumer, having it, and giving it up: one channel, and from the
 * first delivery on one scope.
 *
 * What an owner held comes again before all else, but behind what was not handed out again yet, so that a next owner with
 * a smaller window would begin in the middle. So each takes in all of it, and puts it into its order, first.
 */
export class Ownership {
  readonly scope: Scope
  /** How many deliveries the broker hands out at a time. */
  readonly most: number
  readonly intake: Intake
  private readonly of: ReaderParts
  private readonly listener: OwnershipListener
  private readonly reading: Reading
  private held: HeldMessages | undefined
  private settler: Settler | undefined
  /** What came before all that comes again was here. */
  private early: ConsumeMessage[] = []
  private state: 'waiting' | 'taking' | 'owned' | 'leaving' = 'waiting'
  private hasBegun = false
  /** The runner has the scope. */
  private isAssigned = false
  /** Another instance wants the queue more, which was known before it was ours. */
  private isWanted = false
  private rank = 0

  constructor(of: ReaderParts, channel: Channel, most: number, listener: OwnershipListener) {
    const { parts, target, sink } = of
    this.of = of
    this.most = most
    this.listener = listener
    this.scope = { name: `channel ${parts.nextSerial()} of ${target.queue}` }
    this.intake = new Intake(this.scope, sink)
    this.reading = new Reading({
      parts,
      target,
      channel,
      window: most,
      arrived: (raw) => this.arrived(raw),
      ended: (reason) => this.ended(reason),
    })
  }

  /** Whether somebody else may have the queue. */
  get isWaiting(): boolean {
    return this.state === 'waiting' && this.isReading
  }

  get isReading(): boolean {
    return !this.reading.isOver && this.reading.tags.length > 0
  }

  /** Whether the scope has been assigned, and neither given up nor lost. */
  get isOwned(): boolean {
    return this.state === 'owned' && !this.reading.isOver
  }

  start(): Promise<void> {
    return this.reading.consume(this.most)
  }

  begin(): void {
    this.hasBegun = true
    if (this.early.length > 0) this.takeOver()
  }

  async settle(items: readonly SettleItem[]): Promise<readonly SettleOutcome[]> {
    if (this.reading.isOver || this.settler === undefined) return items.map(() => 'lost')
    const outcomes = await this.settler.settle(items)
    this.intake.settled(items, outcomes)
    return outcomes
  }

  /** Has the runner let go of it, then gives all back at once: a cancel would hand out what comes later before that. */
  async giveUp(deadlineMs: number): Promise<void> {
    if (this.isAssigned) {
      this.isAssigned = false
      this.state = 'leaving'
      this.intake.close()
      await this.of.sink.revoke(this.scope, deadlineMs)
    }
    await this.close()
  }

  /** The same when the runner holds nothing of it, and without telling. */
  async close(): Promise<void> {
    const { reading } = this
    if (reading.isOver) return
    this.state = 'leaving'
    this.intake.close()
    await reading.flush()
    reading.void()
    // The records first: who gets the queue reads them.
    await this.held?.close()
    await reading.close()
  }

  /** When the oldest delivery arrived that waits here, or came back here; epoch milliseconds. */
  oldestAt(): number {
    return Math.min(...this.intake.waiting.map(({ token }) => (token as DeliveryToken).arrivedAt))
  }

  /** Writes records anew that are as old as that. */
  refresh(before: number): void {
    if (!this.isOwned) return
    this.held?.refresh(before).catch((error: unknown) => this.reading.end(describeError(error)))
  }

  deleted(): void {
    this.reading.deleted()
  }

  void(): void {
    this.reading.void()
    this.held?.void()
    this.intake.close()
  }

  private ended(reason: string): void {
    this.intake.close()
    void this.held?.close()
    this.of.ended(reason)
  }

  private arrived(raw: ConsumeMessage): void {
    if (this.state === 'owned') return this.admit(raw)
    if (this.state === 'leaving') return
    this.early.push(raw)
    if (this.hasBegun) this.takeOver()
  }

  private admit(raw: ConsumeMessage): void {
    const { scope, of, held } = this
    const delivery = toDelivery(raw, scope, of.parts)
    const rank = (this.rank += 1)
    const record = raw.fields.redelivered ? held?.take(delivery.message.id) : undefined
    // What comes again comes before what is new.
    if (!raw.fields.redelivered) held?.forgetRest()
    const token: DeliveryToken = { ...(delivery.token as DeliveryToken), rank, record: record?.tag }
    this.intake.add({ ...delivery, message: record?.message ?? delivery.message, token })
  }

  private putBack({ delivery, message }: SettleItem): void {
    const token = delivery.token as DeliveryToken
    this.intake.putBack({ ...delivery, message, token: { ...token } }, rankOf)
    // Whoever settles it once more settles nothing.
    token.tag = 0
    token.record = undefined
  }

  /** The first delivery says that the queue is ours alone. */
  private takeOver(): void {
    if (this.state !== 'waiting') return
    this.state = 'taking'
    this.readRest().then(
      (isComplete) => {
        // It may have been given up meanwhile.
        if (this.reading.isOver || this.state !== 'taking') return
        if (this.isWanted) this.listener.wanted()
        else if (isComplete) this.assign()
        else this.listener.tooSmall(this.held?.foundWindow ?? 0)
      },
      (error: unknown) => this.reading.end(describeError(error)),
    )
  }

  /** What earlier owners recorded and held. False when that cannot all be taken in. */
  private async readRest(): Promise<boolean> {
    const { of, reading } = this
    const { parts, target } = of
    const channel = await of.openChannel()
    const held = new HeldMessages({
      parts,
      target,
      channel,
      ended: (reason) => reading.end(reason),
      wanted: () => this.wanted(),
    })
    this.held = held
    if (reading.isOver) {
      await held.close()
      return true
    }
    await held.start(this.most)
    await this.gather()
    if (!this.hasNew && this.early.length === this.most && held.foundWindow > this.most) return false
    this.settler = new Settler({
      parts,
      target,
      acks: reading.acks,
      held,
      isOver: () => reading.isOver,
      putBack: (item) => this.putBack(item),
    })
    return true
  }

  /** Waits for all that comes again: until something new has come, or there is no more, or no room for it. */
  private async gather(): Promise<void> {
    const { parts, target } = this.of
    for (let emptyAt = -1; ;) {
      const { length } = this.early
      if (this.reading.isOver || this.hasNew || length >= this.most || emptyAt === length) return
      emptyAt = (await parts.count(target.queue)).ready === 0 ? length : -1
    }
  }

  /** How much was taken in is recorded first: the next owner has to know how much comes again. */
  private wanted(): void {
    if (this.state === 'taking') this.isWanted = true
    else this.listener.wanted()
  }

  private get hasNew(): boolean {
    return this.early.some(({ fields }) => !fields.redelivered)
  }

  private assign(): void {
    this.state = 'owned'
    this.isAssigned = true
    const size = this.of.sink.assigned(this.scope)
    for (const raw of inOrder(this.early)) this.admit(raw)
    this.early = []
    this.intake.open(size)
    this.listener.assigned(size)
  }
}

/**
 * What came again, in its order: each that was handed out again, while others of its owner were not, went behind them, and
 * was counted.
 */
export function inOrder(raws: readonly ConsumeMessage[]): readonly ConsumeMessage[] {
  return raws.toSorted((one, other) => deliveriesOf(other) - deliveriesOf(one))
}

function rankOf({ token }: Delivery): number {
  return (token as DeliveryToken).rank
}
