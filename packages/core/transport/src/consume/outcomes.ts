import type { SettleVerb } from '../contract/driver.ts'
import type { Settlement } from '../contract/settlement.ts'
import type { WireMessage } from '../contract/wire-message.ts'
import { PosthornError } from '../errors.ts'
import type { ConsumeSettings } from './consume-settings.ts'
import { deadLetterRecord } from './dead-letter-record.ts'
import { withFailure, withRelease } from './failed-message.ts'
import type { Run } from './run.ts'
import { refOf, type RunnerHost } from './runner-host.ts'
import { Settler, type PendingSettlement, type SettlementListener } from './settler.ts'
import type { Turns } from './turns.ts'

const firstSettleRetryMs = 100
const longestSettleRetryMs = 5_000

/** What becomes of a delivery: the policy between what a handler answered and what the broker is told. */
export class Outcomes implements SettlementListener {
  /** Set when the consumer is stopping: what is not done goes back in place. */
  stopping = false
  private readonly host: RunnerHost
  private readonly settings: ConsumeSettings
  private readonly turns: Turns
  private readonly settler: Settler
  private readonly answered: () => void

  /** `answered` is called after each batch of the broker's answers. */
  constructor(host: RunnerHost, settings: ConsumeSettings, turns: Turns, answered: () => void) {
    this.host = host
    this.settings = settings
    this.turns = turns
    this.answered = answered
    this.settler = new Settler(host.clock, this)
  }

  settle(run: Run, settlement: Settlement): void {
    if (!run.held.alive || run.lost) return this.drop(run)
    if (settlement.verb === 'ack') {
      this.submit(run, 'ack', 0, run.wire)
      return this.turns.end(run)
    }
    if (this.settings.ephemeral) return this.giveUp(run, settlement.verb === 'release' ? undefined : settlement.error)
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

  undecodable(run: Run, error: PosthornError): void {
    this.host.emit('decodeFailed', { ...refOf(run), error })
    this.bury(run, 'undecodable', error, run.wire.attempt - 1)
  }

  expire(run: Run): void {
    this.host.emit('expired', { ...refOf(run), expiresAt: run.wire.expiresAt ?? 0, attempt: run.wire.attempt })
    this.submit(run, 'ack', 0, run.wire)
    this.turns.end(run)
  }

  /** Gives a delivery back in place, with no attempt spent. */
  giveBack(run: Run): void {
    run.cancelWait?.()
    this.submit(run, 'release', 0, withRelease(run.wire, run.wire.notBefore))
    this.turns.end(run)
  }

  /** Gives it back for later, with no attempt spent. */
  postpone(run: Run, delayMs: number): void {
    this.submit(run, 'release', delayMs, withRelease(run.wire, undefined))
    this.turns.end(run)
  }

  /** The delivery is not ours any more: whatever its handler does, nothing of it is settled. */
  lose(run: Run, error: PosthornError): void {
    if (run.lost || run.state === 'gone') return
    run.lose(error)
    if (run.state === 'running' || run.state === 'settling') this.host.emit('leaseLost', { ...refOf(run), error })
    if (!run.active) this.drop(run)
  }

  private fail(run: Run, delayMs: number | undefined, error: unknown): void {
    const { clock } = this.host
    const { attempt } = run.wire
    if (attempt >= this.settings.maxAttempts) return this.bury(run, 'attempts-exhausted', error, attempt)
    const delay = Math.ceil(delayMs ?? this.settings.retryDelay(attempt, () => clock.random()))
    const now = clock.now()
    this.host.emit('retried', { ...refOf(run), attempt, delayMs: delay, error })
    if (this.holds(run)) return this.hold(run, withFailure(run.wire, error, now, now + delay), delay)
    this.submit(run, 'retry', delay, withFailure(run.wire, error, now, undefined))
    this.turns.end(run)
  }

  private release(run: Run, delayMs: number): void {
    const delay = this.stopping ? 0 : Math.ceil(delayMs)
    // Given back in place, a keyed message would come after those of its key that wait here.
    if (this.holds(run)) this.hold(run, { ...run.wire, notBefore: this.host.clock.now() + delay }, delay)
    else if (delay === 0) this.giveBack(run)
    else this.postpone(run, delay)
  }

  /** Whether it waits for its next attempt here, because its key must or the broker has no delay. */
  private holds(run: Run): boolean {
    if (this.stopping) return false
    return (run.keyed && this.settings.holdKey) || this.host.capabilities().features.delayedRetry.level === 'unsupported'
  }

  private hold(run: Run, wire: WireMessage, delayMs: number): void {
    run.wire = wire
    this.settler.add(run, 'hold', 0, wire, undefined)
    this.turns.hold(run, delayMs)
  }

  /** At most once: the failure is told, and the message is gone. */
  private giveUp(run: Run, error: unknown): void {
    this.host.emit('handlerFailed', { ...refOf(run), error })
    this.submit(run, 'ack', 0, run.wire)
    this.turns.end(run)
  }

  private submit(run: Run, verb: SettleVerb, delayMs: number, message: WireMessage): void {
    run.state = 'settling'
    this.settler.add(run, verb, delayMs, message, undefined)
  }

  // The broker's answers

  settled(item: PendingSettlement): void {
    if (item.verb === 'hold') return
    const { run, record } = item
    this.remove(run)
    if (record === undefined) return
    this.host.emit('deadLettered', { ...refOf(run), reason: record.reason, attempts: record.attempts, error: run.cause })
  }

  lost(item: PendingSettlement): void {
    this.lose(item.run, leaseLostError(this.host.source))
  }

  failed(item: PendingSettlement, error: PosthornError): number | undefined {
    const { run, verb } = item
    if (run.state === 'gone' || (verb === 'hold' && run.state !== 'holding')) return undefined
    if (verb === 'deadLetter') this.host.emit('deadLetterFailed', { ...refOf(run), error })
    else this.host.emit('settlementFailed', { ...refOf(run), verb, error })
    return Math.min(longestSettleRetryMs, firstSettleRetryMs * 2 ** (item.failures - 1))
  }

  flushed(): void {
    this.answered()
  }

  private remove(run: Run): void {
    if (run.state === 'gone') return
    run.state = 'gone'
    run.cancelWait?.()
    run.held.remove(run)
  }

  private drop(run: Run): void {
    this.remove(run)
    this.turns.end(run)
  }
}

function leaseLostError(source: string): PosthornError {
  return new PosthornError(
    'POSTHORN_LEASE_LOST',
    `A delivery of "${source}" was no longer this consumer's when it was settled; it may be handled twice. ` +
      'Make the effect idempotent by context.idempotencyKey.',
    { phase: 'settle' },
  )
}
