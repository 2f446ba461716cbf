import { exponential, type RetryDelay } from '@posthorn/transport'
import type { BreakerSettings } from './breaker-options.ts'
import { RollingRate } from './rolling-rate.ts'

/** `isolated`: opened by hand, until it is reset by hand. */
export type BreakerStateName = 'closed' | 'open' | 'half-open' | 'isolated'

/** The breaker went from one state to another. */
export interface BreakerChange {
  readonly breaker: string
  readonly from: BreakerStateName
  readonly to: BreakerStateName
  /** Epoch milliseconds. */
  readonly at: number
  readonly reason: string
  /** While open: when trial calls begin. Epoch milliseconds. */
  readonly retryAt: number | undefined
}

/** How a call ended that counts. */
export interface CallEnd {
  readonly failed: boolean
  readonly slow: boolean
}

/** Calls in the window; trial calls while half-open. */
export interface WindowCounts {
  readonly calls: number
  readonly failed: number
  readonly slow: number
}

/**
 * The state machine. A call is let in under the number of the state at that time, and counts only while that state lasts:
 * what ends later says nothing about the dependency as it is now.
 */
export class BreakerState {
  name: BreakerStateName = 'closed'
  since: number
  reason: string | undefined = undefined
  retryAt: number | undefined = undefined
  /** Rises with each change. */
  private turn = 1
  private readonly settings: BreakerSettings
  private readonly changed: (change: BreakerChange) => void
  private readonly resetDelay: RetryDelay
  private failures: RollingRate
  private slowness: RollingRate | undefined
  /** How often it opened since it was last closed. */
  private openings = 0
  private probing = { given: 0, ended: 0, failed: 0, slow: 0, since: 0 }

  constructor(settings: BreakerSettings, changed: (change: BreakerChange) => void) {
    const { resetMs, resetFactor, maxResetMs, jitter, clock } = settings
    this.settings = settings
    this.changed = changed
    this.resetDelay = exponential({ baseMs: resetMs, factor: resetFactor, maxMs: maxResetMs, jitter })
    this.since = clock.now()
    this.failures = this.rate(settings.failureRate, this.since)
    this.slowness = this.slowRate(this.since)
  }

  /** Lets a call in, and answers the number to end it with; 0 when it is not let in. */
  begin(now: number): number {
    this.tick(now)
    if (this.name === 'closed') return this.turn
    if (this.permits === 0) return 0
    const { probing } = this
    if (probing.given === probing.ended) probing.since = now
    probing.given++
    return this.turn
  }

  /** A call has ended. False when it came too late to count. */
  end(turn: number, { failed, slow }: CallEnd, now: number): boolean {
    this.tick(now)
    if (turn !== this.turn) return false
    if (this.name === 'closed') this.count(failed, slow, now)
    else this.judge(failed, slow, now)
    return true
  }

  /** A call has ended, and says nothing about the dependency: if it was a trial call, another may be made. */
  ignore(turn: number, now: number): void {
    this.tick(now)
    if (turn === this.turn && this.name === 'half-open') this.probing.given--
  }

  /** Trial calls that may still begin. */
  get permits(): number {
    return this.name === 'half-open' ? this.settings.probes - this.probing.given : 0
  }

  /** When `tick` has something to do next; epoch milliseconds. */
  get wakeAt(): number | undefined {
    if (this.name === 'open') return this.retryAt
    const { given, ended, since } = this.probing
    return this.name === 'half-open' && given > ended ? since + this.settings.maxProbeMs : undefined
  }

  /** Does what time has brought. */
  tick(now: number): void {
    const { wakeAt } = this
    if (wakeAt === undefined || now < wakeAt) return
    if (this.name === 'half-open') {
      const { given, ended } = this.probing
      return this.open(`${given - ended} of ${given} trial calls did not end in time`, now)
    }
    this.probing = { given: 0, ended: 0, failed: 0, slow: 0, since: now }
    this.enter('half-open', 'its time has passed', now)
  }

  isolate(now: number): void {
    this.tick(now)
    if (this.name !== 'isolated') this.enter('isolated', 'by hand', now)
  }

  reset(now: number): void {
    this.tick(now)
    this.close('by hand', now)
  }

  window(now: number): WindowCounts {
    const { failed, slow, ended } = this.probing
    if (this.name === 'half-open') return { calls: ended, failed, slow }
    if (this.name !== 'closed') return { calls: 0, failed: 0, slow: 0 }
    const { calls, bad } = this.failures.counts(now)
    return { calls, failed: bad, slow: this.slowness?.counts(now).bad ?? 0 }
  }

  private count(failed: boolean, slow: boolean, now: number): void {
    const hasFailed = this.failures.add(failed, now)
    const isSlow = this.slowness?.add(slow, now) === true
    if (hasFailed) this.open(`${percent(this.settings.failureRate)} or more of its calls failed`, now)
    else if (isSlow) this.open(`${percent(this.settings.slowRate)} or more of its calls were slow`, now)
  }

  private judge(failed: boolean, slow: boolean, now: number): void {
    const { probing } = this
    const { probes, failureRate, slowRate } = this.settings
    probing.ended++
    if (failed) probing.failed++
    if (slow) probing.slow++
    if (probing.failed >= share(failureRate, probes))
      this.open(`${probing.failed} of ${probes} trial calls failed`, now)
    else if (probing.slow >= share(slowRate, probes))
      this.open(`${probing.slow} of ${probes} trial calls were slow`, now)
    else if (probing.ended === probes) this.close('its trial calls succeeded', now)
  }

  private open(reason: string, now: number): void {
    this.openings++
    this.retryAt = now + this.resetDelay(this.openings, () => this.settings.clock.random())
    this.enter('open', reason, now)
  }

  private close(reason: string, now: number): void {
    this.openings = 0
    this.endWindow()
    this.failures = this.rate(this.settings.failureRate, now)
    this.slowness = this.slowRate(now)
    this.enter('closed', reason, now)
  }

  private enter(to: BreakerStateName, reason: string, now: number): void {
    const from = this.name
    if (to !== 'open') this.retryAt = undefined
    if (to !== 'closed') this.endWindow()
    this.name = to
    this.since = now
    this.reason = reason
    this.turn++
    this.changed({ breaker: this.settings.name, from, to, at: now, reason, retryAt: this.retryAt })
  }

  private endWindow(): void {
    this.failures.end()
    this.slowness?.end()
  }

  private rate(threshold: number, now: number): RollingRate {
    const { minimumCalls, windowMs } = this.settings
    return new RollingRate({ threshold, minimumCalls, windowMs }, now)
  }

  private slowRate(now: number): RollingRate | undefined {
    return this.settings.slowMs === Infinity ? undefined : this.rate(this.settings.slowRate, now)
  }
}

/** How many of so many make up the share. */
function share(rate: number, of: number): number {
  return Math.max(1, Math.ceil(rate * of - 1e-9))
}

function percent(rate: number): string {
  return `${Number((rate * 100).toFixed(2))} %`
}
