import type { Clock } from '../contract/clock.ts'
import type { DeadLetterRecord } from '../contract/dead-letters.ts'
import type { SettleItem, SettleOutcome, SettleVerb } from '../contract/driver.ts'
import type { WireMessage } from '../contract/wire-message.ts'
import { PosthornError, toPosthornError } from '../errors.ts'
import type { HeldScope } from './held-scope.ts'
import type { Run } from './run.ts'

/** One settlement on its way to the driver. */
export interface PendingSettlement extends SettleItem {
  readonly run: Run
  readonly delayMs: number
  readonly message: WireMessage
  readonly record: DeadLetterRecord | undefined
  /** Tries so far that did not reach the broker. */
  failures: number
}

/** What the runner does with the broker's answers. */
export interface SettlementListener {
  settled(item: PendingSettlement): void
  lost(item: PendingSettlement): void
  /** Answers after how many milliseconds to try again, or `undefined` when it has taken another way. */
  failed(item: PendingSettlement, error: PosthornError): number | undefined
  /** A whole batch has been answered. */
  flushed(): void
}

/** Gathers the settlements of a turn and hands them to the driver, one batch for each scope. */
export class Settler {
  private readonly clock: Clock
  private readonly listener: SettlementListener
  private readonly queues = new Map<HeldScope, PendingSettlement[]>()
  private scheduled = false

  constructor(clock: Clock, listener: SettlementListener) {
    this.clock = clock
    this.listener = listener
  }

  add(run: Run, verb: SettleVerb, delayMs: number, message: WireMessage, record: DeadLetterRecord | undefined): void {
    this.queue({ run, delivery: run.delivery, verb, delayMs, message, record, failures: 0 })
  }

  private queue(item: PendingSettlement): void {
    const queue = this.queues.get(item.run.held)
    if (queue === undefined) this.queues.set(item.run.held, [item])
    else queue.push(item)
    if (this.scheduled) return
    this.scheduled = true
    this.clock.defer(this.flush)
  }

  readonly flush = (): void => {
    this.scheduled = false
    for (const [held, items] of this.queues) {
      if (items.length === 0) {
        this.queues.delete(held)
        continue
      }
      // The driver's `consume` has not answered yet: what it handed out before is settled when it has.
      if (held.alive && held.consumer === undefined) continue
      this.queues.set(held, [])
      if (!held.alive || held.consumer === undefined) {
        for (const item of items) this.listener.lost(item)
        this.queues.delete(held)
        this.listener.flushed()
      } else {
        held.consumer.settle(held.scope, items).then(
          (outcomes) => this.answered(items, outcomes),
          (error: unknown) => {
            const failure = toPosthornError(error, 'POSTHORN_SETTLE_FAILED', { phase: 'settle', retryable: true })
            this.answered(items, items.map(() => failure))
          },
        )
      }
    }
  }

  private answered(items: readonly PendingSettlement[], outcomes: readonly SettleOutcome[]): void {
    for (let index = 0; index < items.length; index++) {
      const item = items[index] as PendingSettlement
      const outcome = outcomes[index]
      if (outcome === 'confirmed' || outcome === 'sent') this.listener.settled(item)
      else if (outcome === 'lost') this.listener.lost(item)
      else this.retry(item, outcome ?? shortAnswer)
    }
    this.listener.flushed()
  }

  private retry(item: PendingSettlement, error: PosthornError): void {
    item.failures++
    const delayMs = this.listener.failed(item, error)
    if (delayMs === undefined) return
    this.clock.setTimer(() => this.queue(item), delayMs)
  }
}

const shortAnswer = new PosthornError('POSTHORN_DEFECT', 'The driver answered for fewer settlements than it was given.', {
  phase: 'settle',
  retryable: true,
})
