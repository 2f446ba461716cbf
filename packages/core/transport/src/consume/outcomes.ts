import type { SettleVerb } from '../contract/driver.ts'
import type { Settlement } from '../contract/settlement.ts'
import type { WireMessage } from '../contract/wire-message.ts'
import { PosthornError } from '../errors.ts'
import type { ConsumeSettings } from './consume-settings.ts'
import { deadLetterRecord } from './dead-letter-record.ts'
import { withFailure, withRelease, withTrial } from './failed-message.ts'
import { exponential } from './retry-delay.ts'
import type { Run } from './run.ts'
import { refOf, type RunnerHost } from './runner-host.ts'
import { Settler, type PendingSettlement, type SettlementListener } from './settler.ts'
import type { Turns } from './turns.ts'

const firstSettleRetryMs = 100
const longestSettleRetryMs = 5_000

/** What the outcomes need of their runner. */
export interface OutcomesOwner {
  /** Whether the delivery may not be kept for another attempt here. */
  closed(run: Run): boolean
  /** Gives back, too, what waits behind it for its key. */
  giveBackBehind(run: Run): void
  /** Whether the scope may hand out anything has changed. */
  windowsChanged(): void
  /** A batch has been answered. */
  answered(): void
}

/** What becomes of a delivery: the policy between what a handler answered and what the broker is told. */
export class Outcomes implements SettlementListener {
  private readonly host: RunnerHost
  private readonly settings: ConsumeSettings
  private readonly turns: Turns
  private readonly owner: OutcomesOwner
  private readonly settler: Settler

  constructor(host: RunnerHost, settings: ConsumeSettings, turns: Turns, owner: OutcomesOwner) {
    this.host = host
    this.settings = settings
    this.turns = turns
    this.owner = owner
    this.settler = new Settler(host.clock, this)
  }

  settle(run: Run, settlement: Settlement): void {
    if (!run.held.alive || run.lost) return this.drop(run)
    if (settlement.verb === 'ack') return this.submit(run, 'ack', 0, run.wire)
    if (this.settings.ephemeral)
      return this.giveUp(run, settlement.verb === 'release' ? undefined : settlement.error)
    switch (settlement.verb) {
      case 'retry':
        return run.shutDown ? this.giveBack(run) : this.fail(run, settlement.delayMs, settlement.error)
      case 'release':
        return this.release(run, settlement.delayMs)
      case 'deadLetter':
        return this.bury(run, settlement.reason, settlement.error, run.wire.attempt)
    }
  }

  /** Hands over what waits for the driver to be there. */
  flush(): void {
    this.settler.flush()
  }

  /** Tries nothing again from now on. */
  stop(): void {
    this.settler.stop()
  }

  /** `attempts`: how many were spent on it. */
  bury(run: Run, reason: string, error: unknown, attempts: number): void {
    if (this.settings.ephemeral) return this.giveUp(run, error ?? new Error(reason))
    const { source, group, clock } = this.host
    const consumer = { source, group, handler: this.settings.name, now: clock.now() }
    run.cause = error
    run.state = 'settling'
    this.settler.add(run, 'deadLetter', 0, run.wire, deadLetterRecord(consumer, run, reason, error, attempts))
    this.turns.end(run)
  }

  /** Records that it begins alone, so that a crash says something about it, and nothing about what waits beside it. */
  recordTrial(run: Run): void {
    run.wire = withTrial(run.wire)
    this.settler.add(run, 'hold', 0, run.wire, undefined)
  }

  undecodable(run: Run, error: PosthornError): void {
    this.host.emit('decodeFailed', { ...refOf(run), error })
    this.bury(run, 'undecodable', error, run.wire.attempt - 1)
  }

  expire(run: Run): void {
    this.host.emit('expired', {
      ...refOf(run),
      expiresAt: run.wire.expiresAt ?? 0,
      attempt: run.wire.attempt,
    })
    this.submit(run, 'ack', 0, run.wire)
  }

  /** Gives a delivery back in place, with no attempt spent. */
  giveBack(run: Run): void {
    if (run.lost) return this.drop(run)
    run.cancelWait?.()
    // What is at most once is not kept anywhere.
    if (this.settings.ephemeral) return this.submit(run, 'ack', 0, run.wire)
    if (this.settings.order === 'key' && run.wire.key !== undefined) this.returns(run)
    // Not every broker can change what it takes back in place.
    if (run.wire !== run.recorded && !run.recording) this.settler.add(run, 'hold', 0, run.wire, undefined)
    this.submit(run, 'release', 0, withRelease(run.wire, run.wire.notBefore))
  }

  /** Gives it back for later, with no attempt spent. */
  postpone(run: Run, delayMs: number): void {
    this.submit(run, 'release', delayMs, withRelease(run.wire, undefined))
  }

  /** The delivery is not ours any more: whatever its handler does, nothing of it is settled. */
  lose(run: Run, error: PosthornError): void {
    if (run.lost || run.state === 'gone') return
    run.lose(error)
    if (run.state === 'running' || run.state === 'settling')
      this.host.emit('leaseLost', { ...refOf(run), error })
    if (!run.active || run.timedOut) this.drop(run)
  }

  private fail(run: Run, delayMs: number | undefined, error: unknown): void {
    const { attempt } = run.wire
    if (attempt >= this.settings.maxAttempts) return this.bury(run, 'attempts-exhausted', error, attempt)
    const delay = Math.ceil(delayMs ?? this.delayAfter(attempt))
    const now = this.host.clock.now()
    this.host.emit('retried', { ...refOf(run), attempt, delayMs: delay, error })
    if (run.keyed && this.settings.holdKey)
      return this.hold(run, withFailure(run.wire, error, now, now + delay), delay)
    if (this.brokerWaits || delay === 0)
      return this.submit(run, 'retry', delay, withFailure(run.wire, error, now, undefined))
    // It comes back at once, and waits here, or wherever it comes to.
    this.submit(run, 'retry', 0, withFailure(run.wire, error, now, now + delay))
  }

  private release(run: Run, delayMs: number): void {
    const delay = Math.ceil(delayMs)
    const dueAt = this.host.clock.now() + delay
    // Given back in place, a keyed message would come after those of its key that wait here.
    const stays = (run.keyed && this.settings.holdKey) || (delay > 0 && !this.brokerWaits)
    if (stays) return this.hold(run, { ...run.wire, notBefore: dueAt }, delay)
    if (delay > 0) return this.postpone(run, delay)
    this.giveBack(run)
    if (run.keyed) this.owner.giveBackBehind(run)
  }

  private get brokerWaits(): boolean {
    return this.host.capabilities().features.delayedRetry.level !== 'unsupported'
  }

  /** What the policy says, and the default where it is broken. */
  private delayAfter(attempt: number): number {
    const { clock, source } = this.host
    const random = (): number => clock.random()
    let error: unknown
    try {
      const delayMs: unknown = this.settings.retryDelay(attempt, random)
      if (typeof delayMs === 'number' && delayMs >= 0 && delayMs < Infinity) return delayMs
      error = new PosthornError(
        'POSTHORN_INVALID_OPTION',
        `The retryDelay of "${source}" answered ${String(delayMs)} after attempt ${attempt}, and must answer milliseconds from 0. ` +
          'The default is used instead.',
        { phase: 'handle' },
      )
    } catch (thrown) {
      error = thrown
    }
    this.host.emit('callbackFailed', { where: `retryDelay of "${source}"`, error })
    return fallbackDelay(attempt, random)
  }

  /** Keeps the delivery, and its key, for its next attempt here. */
  private hold(run: Run, wire: WireMessage, delayMs: number): void {
    run.wire = wire
    this.settler.add(run, 'hold', 0, wire, undefined)
    this.turns.hold(run, delayMs)
  }

  /** At most once: the failure is told, and the message is gone. */
  private giveUp(run: Run, error: unknown): void {
    this.host.emit('handlerFailed', { ...refOf(run), error })
    this.submit(run, 'ack', 0, run.wire)
  }

  private submit(run: Run, verb: SettleVerb, delayMs: number, message: WireMessage): void {
    run.state = 'settling'
    this.settler.add(run, verb, delayMs, message, undefined)
    this.turns.end(run)
  }

  // The broker's answers

  settled(item: PendingSettlement): void {
    const { run, record, verb } = item
    if (verb === 'hold') {
      run.recorded = item.message
      return this.giveBackIfClosed(run)
    }
    if (run.state === 'gone') return
    this.remove(run)
    if (record === undefined) return
    this.host.emit('deadLettered', {
      ...refOf(run),
      reason: record.reason,
      attempts: record.attempts,
      error: run.cause,
    })
  }

  lost({ run }: PendingSettlement): void {
    // It comes again elsewhere; nothing of its key may overtake it until the whole scope is known to be lost, or not.
    if (run.keyed && !run.lost) this.owner.giveBackBehind(run)
    this.lose(run, leaseLostError(this.host.source))
  }

  failed(item: PendingSettlement, error: PosthornError): number {
    const { run, verb } = item
    if (verb === 'deadLetter') this.host.emit('deadLetterFailed', { ...refOf(run), error })
    else this.host.emit('settlementFailed', { ...refOf(run), verb, error })
    if (verb === 'hold') this.giveBackIfClosed(run)
    return Math.min(longestSettleRetryMs, firstSettleRetryMs * 2 ** Math.min(item.failures - 1, 10))
  }

  stands(item: PendingSettlement): boolean {
    const { run, verb, message } = item
    if (verb !== 'hold') return run.state === 'settling'
    // An older state must not replace what was recorded, or is done, since; one that goes back must be recorded first.
    return run.wire === message && (run.state === 'holding' || run.later?.at(-1)?.verb === 'release')
  }

  flushed(): void {
    this.owner.answered()
  }

  private returns(run: Run): void {
    run.returning = true
    if (run.held.returning++ === 0) this.owner.windowsChanged()
  }

  private giveBackIfClosed(run: Run): void {
    if (run.state === 'holding' && !run.active && this.owner.closed(run)) this.giveBack(run)
  }

  private remove(run: Run): void {
    run.state = 'gone'
    run.cancelWait?.()
    run.held.remove(run)
    if (run.returning && --run.held.returning === 0) this.owner.windowsChanged()
  }

  private drop(run: Run): void {
    if (run.state !== 'gone') this.remove(run)
    this.turns.end(run)
  }
}

const fallbackDelay = exponential()

function leaseLostError(source: string): PosthornError {
  return new PosthornError(
    'POSTHORN_LEASE_LOST',
    `A delivery of "${source}" was no longer this consumer's when it was settled; it may be handled twice. ` +
      'Make the effect idempotent by context.idempotencyKey.',
    { phase: 'settle' },
  )
}
