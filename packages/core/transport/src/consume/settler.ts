import { fromDriver } from '../connection/driver-error.ts'
import type { Clock } from '../contract/clock.ts'
import type { DeadLetterRecord } from '../contract/dead-letters.ts'
import type { DriverConsumer, SettleItem, SettleOutcome, SettleVerb } from '../contract/driver.ts'
import type { SettlementEnds } from '../contract/middleware.ts'
import type { WireMessage } from '../contract/wire-message.ts'
import { PosthornError } from '../errors.ts'
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
  /** Who waits for the answer. */
  readonly ends: SettlementEnds | undefined
}

/** What the runner does with the broker's answers. */
export interface SettlementListener {
  settled(item: PendingSettlement): void
  lost(item: PendingSettlement): void
  /** Answers after how many milliseconds to try again. Told only of what still stands. */
  failed(item: PendingSettlement, error: PosthornError): number
  /** Whether the settlement is still to be made. */
  stands(item: PendingSettlement): boolean
  /** A whole batch has been answered. */
  flushed(): void
}

/**
 * Gathers the settlements of a turn and hands them to the driver, a batch for each scope, and full ones at once: a window
 * that was taken in at a time must not wait for its end to be settled. Of one delivery, one at a time is under way.
 */
export class Settler {
  private readonly clock: Clock
  private readonly listener: SettlementListener
  /** Scopes with settlements that have not been handed over. */
  private dirty: HeldScope[] = []
  private scheduled = false
  private readonly timers = new Map<PendingSettlement, () => void>()

  constructor(clock: Clock, listener: SettlementListener) {
    this.clock = clock
    this.listener = listener
  }

  add(
    run: Run,
    verb: SettleVerb,
    delayMs: number,
    message: WireMessage,
    record: DeadLetterRecord | undefined,
  ): void {
    const ends = run.takeSettlementBegins()?.(verb)
    const item = { run, delivery: run.delivery, verb, delayMs, message, record, failures: 0, ends }
    if (!run.recording) return this.queue(item)
    run.later ??= []
    run.later.push(item)
  }

  /** Cancels what waits to be tried again. */
  stop(): void {
    for (const [item, cancel] of this.timers) {
      cancel()
      dropped(item)
    }
    this.timers.clear()
  }

  readonly flush = (): void => {
    this.scheduled = false
    const scopes = this.dirty
    this.dirty = []
    for (const held of scopes) this.handOver(held)
  }

  private queue(item: PendingSettlement): void {
    const { run } = item
    const { held } = run
    if (item.verb === 'hold') run.recording = true
    if (held.pending.length === 0) this.dirty.push(held)
    held.pending.push(item)
    if (held.pending.length === held.maxBatch && held.consumer !== undefined) this.handOver(held)
    if (this.scheduled) return
    this.scheduled = true
    this.clock.defer(this.flush)
  }

  private handOver(held: HeldScope): void {
    const { consumer } = held
    // The driver's `consume` has not answered yet: what it handed out before is settled when it has.
    if (held.alive && consumer === undefined) {
      this.dirty.push(held)
      return
    }
    const items = held.pending.some(isGone) ? kept(held.pending, (item) => !isGone(item)) : held.pending
    held.pending = []
    if (items.length === 0) return
    if (!held.alive || consumer === undefined) {
      for (const item of items) this.lost(item)
      return this.listener.flushed()
    }
    if (items.length <= held.maxBatch) return this.settle(consumer, held, items)
    // The driver was not there before.
    for (let from = 0; from < items.length; from += held.maxBatch) {
      this.settle(consumer, held, items.slice(from, from + held.maxBatch))
    }
  }

  private settle(consumer: DriverConsumer, held: HeldScope, items: readonly PendingSettlement[]): void {
    let answer: Promise<readonly SettleOutcome[]>
    try {
      answer = consumer.settle(held.scope, items)
    } catch (error) {
      answer = Promise.reject(error as Error)
    }
    answer.then(
      (outcomes) => this.answered(items, outcomes),
      (error: unknown) => {
        const failure = fromDriver(error, 'POSTHORN_SETTLE_FAILED', failedSettling)
        this.answered(
          items,
          items.map(() => failure),
        )
      },
    )
  }

  private answered(items: readonly PendingSettlement[], outcomes: readonly SettleOutcome[]): void {
    for (let index = 0; index < items.length; index++) {
      const item = items[index] as PendingSettlement
      const outcome = outcomes[index]
      if (outcome === 'confirmed' || outcome === 'sent') this.settled(item, outcome)
      else if (outcome === 'lost') this.lost(item)
      else this.failed(item, fromDriver(outcome ?? shortAnswer, 'POSTHORN_SETTLE_FAILED', failedSettling))
    }
    this.listener.flushed()
  }

  private settled(item: PendingSettlement, outcome: 'confirmed' | 'sent'): void {
    item.ends?.(outcome)
    if (item.verb === 'hold') this.recorded(item.run)
    this.listener.settled(item)
  }

  private lost(item: PendingSettlement): void {
    const { run } = item
    for (const later of run.later ?? []) dropped(later)
    run.recording = false
    run.later = undefined
    dropped(item)
    this.listener.lost(item)
  }

  private failed(item: PendingSettlement, error: PosthornError): void {
    const { run, verb } = item
    item.failures++
    const stands = this.listener.stands(item)
    const delayMs = stands ? this.listener.failed(item, error) : 0
    // What goes back in place is recorded first, if there is room; anything else that waits makes the record needless.
    const comesFirst =
      stands && verb === 'hold' && run.later !== undefined && error.code !== 'POSTHORN_HOLD_FULL'
    if (verb === 'hold' && !comesFirst && this.recorded(run)) return dropped(item)
    if (stands) this.tryLater(item, delayMs, comesFirst)
    else dropped(item)
  }

  /** `comesFirst`: others wait for it, and go on without it when it need not be made any more. */
  private tryLater(item: PendingSettlement, delayMs: number, comesFirst: boolean): void {
    const cancel = this.clock.setTimer(() => {
      this.timers.delete(item)
      if ((comesFirst || !item.run.recording) && this.listener.stands(item)) return this.queue(item)
      dropped(item)
      if (comesFirst) this.recorded(item.run)
    }, delayMs)
    this.timers.set(item, cancel)
  }

  /** Goes on with what waited for a `hold` to be answered; true when there was something. */
  private recorded(run: Run): boolean {
    run.recording = false
    const later = kept(run.later ?? [], (item) => this.listener.stands(item))
    const [next, ...rest] = later
    run.later = rest.length === 0 ? undefined : rest
    if (next === undefined) return false
    this.queue(next)
    return true
  }
}

function kept(
  items: readonly PendingSettlement[],
  isKept: (item: PendingSettlement) => boolean,
): PendingSettlement[] {
  return items.filter((item) => {
    const keeps = isKept(item)
    if (!keeps) dropped(item)
    return keeps
  })
}

/** It is not made any more. */
function dropped(item: PendingSettlement): void {
  item.ends?.('lost')
}

/** Lost since it was decided on. */
function isGone(item: PendingSettlement): boolean {
  return item.run.state === 'gone'
}

const failedSettling = { phase: 'settle', retryable: true } as const

const shortAnswer = new PosthornError(
  'POSTHORN_DEFECT',
  'The driver answered for fewer settlements than it was given.',
  {
    phase: 'settle',
    retryable: true,
  },
)
