import { deadLetterHeaders } from './dead-letter-record.ts'
import { settlementFailed } from './errors.ts'
import type { Acknowledger } from './acknowledger.ts'
import type { ConsumerParts, ConsumerTarget } from './consumer-parts.ts'
import type { HeldMessages } from './held-messages.ts'
import type { Delivery, PublishOutcome, SettleItem, SettleOutcome } from '@posthorn/transport/driver'

/** Milliseconds within which a copy is confirmed; else the settlement fails, and the runner tries it again. */
const copyMs = 30_000

/** A delivery as its channel knows it. */
export interface DeliveryToken {
  /** 0 once another delivery has taken its place. */
  tag: number
  /** Its place in the queue's order; rising. */
  readonly rank: number
  /** Epoch milliseconds. */
  readonly arrivedAt: number
  /** Of what was recorded of it while its key waits; goes with it. */
  record: number | undefined
}

/** What settling needs of its consumer. */
export interface SettlerOptions {
  readonly parts: ConsumerParts
  readonly target: ConsumerTarget
  readonly acks: Acknowledger
  readonly held: HeldMessages | undefined
  readonly isOver: () => boolean
  /**
   * With order by key: hands it out again from here. Given back to the server it would come behind what is on its way to
   * us already, and nobody else may have it before us.
   */
  readonly putBack: ((item: SettleItem) => void) | undefined
}

/** Carries settlements of one channel out: copies are confirmed before their original goes. */
export class Settler {
  private readonly options: SettlerOptions
  private holding: Promise<unknown> = Promise.resolve()

  constructor(options: SettlerOptions) {
    this.options = options
  }

  settle(items: readonly SettleItem[]): readonly SettleOutcome[] | Promise<readonly SettleOutcome[]> {
    const { acks, target, putBack } = this.options
    const outcomes: SettleOutcome[] = []
    const copies: number[] = []
    for (const item of items) {
      const { verb, delivery, delayMs } = item
      if (verb === 'release' && delayMs <= 0) {
        const { tag } = delivery.token as DeliveryToken
        if (putBack === undefined) acks.giveBack(tag)
        else if (acks.isOpen(tag)) putBack(item)
      } else if (verb === 'ack' || target.atMostOnce) this.finish(delivery)
      else copies.push(outcomes.length)
      outcomes.push('sent')
    }
    acks.flush()
    return copies.length === 0 ? outcomes : this.copyAndAck(items, copies, outcomes)
  }

  private async copyAndAck(
    items: readonly SettleItem[],
    copies: readonly number[],
    outcomes: SettleOutcome[],
  ): Promise<readonly SettleOutcome[]> {
    const { acks, target, isOver } = this.options
    const ofVerbs = (...verbs: readonly string[]): number[] =>
      copies.filter((index) => verbs.includes(items[index]!.verb))
    const returning = ofVerbs('retry', 'release')
    const dead = ofVerbs('deadLetter')
    const finish = (indexes: readonly number[], found: readonly PublishOutcome[]): void => {
      for (const [position, index] of indexes.entries()) {
        const { verb, delivery } = items[index]!
        const outcome = found[position] ?? 'confirmed'
        if (isOver()) outcomes[index] = 'lost'
        else if (outcome !== 'confirmed') outcomes[index] = settlementFailed(verb, target.name, outcome)
        else {
          this.finish(delivery)
          outcomes[index] = 'sent'
        }
      }
      if (!isOver()) acks.flush()
    }
    await Promise.all([
      this.comeBack(returning.map((index) => items[index]!)).then((found) => finish(returning, found)),
      this.deadLetter(dead.map((index) => items[index]!)).then((found) => finish(dead, found)),
      ...ofVerbs('hold').map(async (index) => {
        outcomes[index] = await this.hold(items[index]!)
      }),
    ])
    return outcomes
  }

  private async comeBack(items: readonly SettleItem[]): Promise<readonly PublishOutcome[]> {
    if (items.length === 0) return []
    const { parts, target } = this.options
    const to = { queue: target.queue }
    const delayed = items.map(({ message, delayMs }) => ({ message, delayMs, to }))
    return parts.delays.publish(delayed, parts.clock.now() + copyMs)
  }

  private async deadLetter(items: readonly SettleItem[]): Promise<readonly PublishOutcome[]> {
    if (items.length === 0) return []
    const { parts, target } = this.options
    const copies = items.map(({ message, record }) => ({
      routingKey: target.deadLetterQueue,
      message,
      headers: deadLetterHeaders(parts.createId(), record),
    }))
    return parts.publisher.copyToQueues(copies, parts.clock.now() + copyMs)
  }

  /** The message before its record: the record alone would mean nothing, and without it the attempts would be lost. */
  private finish({ token }: Delivery): void {
    const { acks, held } = this.options
    const { tag, record } = token as DeliveryToken
    acks.finish(tag)
    if (record === undefined) return
    acks.ackAll()
    held?.finish(record)
  }

  /** One after the other: the runner's batches may overlap. */
  private hold({ delivery, message, verb }: SettleItem): Promise<SettleOutcome> {
    const { held, parts, target, isOver } = this.options
    if (held === undefined) return Promise.resolve('confirmed')
    const token = delivery.token as DeliveryToken
    const done = this.holding.then(async (): Promise<SettleOutcome> => {
      if (isOver()) return 'lost'
      const record = await held.hold(message, parts.clock.now() + copyMs)
      if (isOver() || record === undefined) return 'lost'
      if (typeof record !== 'number') return settlementFailed(verb, target.name, record)
      if (token.record !== undefined) held.finish(token.record)
      token.record = record
      return 'confirmed'
    })
    this.holding = done
    return done
  }
}
