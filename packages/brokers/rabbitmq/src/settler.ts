import { deadLetterHeaders } from './dead-letter-record.ts'
import { settlementFailed } from './errors.ts'
import { madeUpId } from './from-wire.ts'
import type { Acknowledger } from './acknowledger.ts'
import type { ConsumerParts, ConsumerTarget } from './consumer-parts.ts'
import type { HeldMessages } from './held-messages.ts'
import type { PublishOutcome, SettleItem, SettleOutcome } from '@posthorn/transport/driver'

/** Milliseconds within which a copy is confirmed; else the settlement fails, and the runner tries it again. */
const copyMs = 30_000

/** A delivery as its channel knows it. A `hold` gives it another tag. */
export interface DeliveryToken {
  tag: number
  /** Its place in the queue's order; rising. */
  readonly rank: number
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
    const outcomes = Array.from<SettleOutcome>({ length: items.length })
    const copies: number[] = []
    for (const [index, item] of items.entries()) {
      const { verb, delivery, delayMs } = item
      const { tag } = delivery.token as DeliveryToken
      if (verb === 'release' && delayMs <= 0) {
        if (putBack === undefined) acks.giveBack(tag)
        else if (acks.isOpen(tag)) putBack(item)
      } else if (verb === 'ack' || target.atMostOnce) acks.finish(tag)
      else {
        copies.push(index)
        continue
      }
      outcomes[index] = 'sent'
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
          acks.finish((delivery.token as DeliveryToken).tag)
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
    const delayed = items.map(({ message, delayMs, delivery }) =>
      delivery.stableId ? { message, delayMs, to } : { message, delayMs, to, headers: madeUpId },
    )
    return parts.delays.publish(delayed, parts.clock.now() + copyMs)
  }

  private async deadLetter(items: readonly SettleItem[]): Promise<readonly PublishOutcome[]> {
    if (items.length === 0) return []
    const { parts, target } = this.options
    const copies = items.map(({ message, record, delivery }) => ({
      routingKey: target.deadLetterQueue,
      message,
      headers: { ...deadLetterHeaders(parts.createId(), record), ...(delivery.stableId ? {} : madeUpId) },
    }))
    return parts.publisher.toQueues(copies, parts.clock.now() + copyMs)
  }

  /** One after the other: the runner's batches may overlap. */
  private hold({ delivery, message, verb }: SettleItem): Promise<SettleOutcome> {
    const { held, parts, acks, target, isOver } = this.options
    if (held === undefined) return Promise.resolve('confirmed')
    const token = delivery.token as DeliveryToken
    const done = this.holding.then(async (): Promise<SettleOutcome> => {
      if (isOver()) return 'lost'
      const tag = await held.hold(message, parts.clock.now() + copyMs)
      if (isOver() || tag === undefined) return 'lost'
      if (typeof tag !== 'number') return settlementFailed(verb, target.name, tag)
      acks.opened(tag)
      acks.finish(token.tag)
      acks.flush()
      token.tag = tag
      return 'confirmed'
    })
    this.holding = done
    return done
  }
}
