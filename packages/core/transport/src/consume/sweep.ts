import type { LeaseCapability } from '../contract/capabilities.ts'
import type { Clock } from '../contract/clock.ts'
import { PosthornError } from '../errors.ts'
import type { HeldScope } from './held-scope.ts'
import type { Run } from './run.ts'

export interface SweepListener {
  /** The handler has run longer than its time. */
  timedOut(run: Run): void
  leaseLost(run: Run, error: PosthornError): void
  /** Not begun at half of its lease: somebody else could begin it. */
  overdue(run: Run): void
}

/**
 * One timer for everything that a consumer holds: handlers' timeouts, the renewal of leases, deliveries that have waited
 * for half of their lease. It goes over the held deliveries, whose number the prefetch bounds.
 */
export class Sweep {
  lease: LeaseCapability = { scope: 'session', durationMs: undefined }
  private readonly clock: Clock
  private readonly scopes: () => readonly HeldScope[]
  private readonly timeoutMs: number
  private readonly listener: SweepListener
  private cancel: (() => void) | undefined
  private dueAt = Infinity
  private stopped = false

  constructor(clock: Clock, scopes: () => readonly HeldScope[], timeoutMs: number, listener: SweepListener) {
    this.clock = clock
    this.scopes = scopes
    this.timeoutMs = timeoutMs
    this.listener = listener
  }

  arrived(now: number): void {
    if (this.lease.durationMs !== undefined) this.arm(now + this.leaseStepMs())
  }

  started(now: number): void {
    this.arm(now + this.timeoutMs)
  }

  stop(): void {
    this.stopped = true
    this.cancel?.()
  }

  private leaseStepMs(): number {
    return Math.max(1, Math.floor((this.lease.durationMs ?? 0) / 3))
  }

  private arm(at: number): void {
    if (at >= this.dueAt || this.stopped) return
    this.cancel?.()
    this.dueAt = at
    this.cancel = this.clock.setTimer(() => this.run(), Math.max(0, at - this.clock.now()))
  }

  private run(): void {
    this.dueAt = Infinity
    this.cancel = undefined
    const now = this.clock.now()
    let next = Infinity
    for (const held of this.scopes()) {
      const renewals: Run[] = []
      for (const run of held.runs()) {
        if (run.active && !run.timedOut) {
          if (run.startedAt + this.timeoutMs <= now) this.listener.timedOut(run)
          else next = Math.min(next, run.startedAt + this.timeoutMs)
        }
        next = Math.min(next, this.attend(run, now, renewals))
      }
      if (renewals.length > 0) this.renew(held, renewals)
    }
    if (next !== Infinity) this.arm(next)
  }

  /** Sees to one delivery's lease; answers when to look again. */
  private attend(run: Run, now: number, renewals: Run[]): number {
    const { scope, durationMs } = this.lease
    if (durationMs === undefined || run.state === 'gone') return Infinity
    const half = run.arrivedAt + durationMs / 2
    // Whoever waits for a slot can be begun elsewhere; who waits for its key, its time or its type cannot.
    const idle = run.state === 'waiting' && !run.keyed
    if (half <= now && (idle || (scope === 'session' && !run.active && run.state !== 'settling'))) {
      this.listener.overdue(run)
      return Infinity
    }
    if (scope === 'delivery') {
      if (run.leasedAt + this.leaseStepMs() <= now) renewals.push(run)
      return now + this.leaseStepMs()
    }
    return run.state === 'settling' || run.active ? Infinity : Math.max(now + 1, half)
  }

  private renew(held: HeldScope, runs: readonly Run[]): void {
    const { consumer } = held
    if (consumer === undefined) return
    const askedAt = this.clock.now()
    consumer.renew(held.scope, held.deliveries(runs)).then(
      (outcomes) => {
        for (const [index, run] of runs.entries()) {
          const outcome = outcomes[index]
          if (outcome === 'confirmed' || outcome === 'sent') run.leasedAt = askedAt
          else if (outcome === 'lost') this.listener.leaseLost(run, lost(held))
        }
      },
      // A driver that breaks its word here is noticed when the lease runs out.
      () => {},
    )
  }
}

function lost(held: HeldScope): PosthornError {
  return new PosthornError('POSTHORN_LEASE_LOST', `A delivery of ${held.scope.name} could not be renewed: its lease is lost.`, {
    phase: 'settle',
  })
}
