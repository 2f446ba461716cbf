import type { LeaseCapability } from '../contract/capabilities.ts'
import type { Clock } from '../contract/clock.ts'
import { PosthornError } from '../errors.ts'
import type { HeldScope } from './held-scope.ts'
import type { Run } from './run.ts'

export interface SweepListener {
  /** The handler has run longer than its time. */
  timedOut(run: Run): void
  leaseLost(run: Run, error: PosthornError): void
  /** Not begun at half of its lease: somebody else could begin it. False when it is kept all the same. */
  overdue(run: Run): boolean
}

/** The part of the longest hold of a session after which a handler must have ended, so that the scope is not taken. */
const holdShare = 0.95

/** From this part of a step on is a lease renewed when others are. */
const early = 0.75

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
    const { scope, durationMs } = this.lease
    if (durationMs !== undefined) this.arm(now + (scope === 'delivery' ? stepOf(durationMs) : durationMs / 2))
  }

  started(run: Run): void {
    this.arm(this.timeoutAt(run))
  }

  /** It waits again, though its handler has begun before. */
  waits(run: Run): void {
    const { scope, durationMs } = this.lease
    if (scope === 'session' && durationMs !== undefined) this.arm(run.arrivedAt + durationMs / 2)
  }

  stop(): void {
    this.stopped = true
    this.cancel?.()
  }

  private timeoutAt(run: Run): number {
    const { scope, durationMs } = this.lease
    const at = run.startedAt + this.timeoutMs
    return scope === 'session' && durationMs !== undefined
      ? Math.min(at, run.arrivedAt + holdShare * durationMs)
      : at
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
          const at = this.timeoutAt(run)
          if (at <= now) this.listener.timedOut(run)
          else next = Math.min(next, at)
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
    if (durationMs === undefined || run.lost || run.state === 'gone') return Infinity
    let next = Infinity
    if (canBeElsewhere(run, scope)) {
      const half = run.arrivedAt + durationMs / 2
      if (half > now) next = half
      else if (this.listener.overdue(run)) return Infinity
    }
    if (scope === 'session') return next
    // Nobody has answered for a whole lease: somebody else may have it by now.
    if (run.renewing && run.leasedAt + durationMs <= now && run.state !== 'settling') {
      this.listener.leaseLost(run, lost(run.held, 'was not renewed in time'))
      return Infinity
    }
    const step = stepOf(durationMs)
    // A little early, so that many leases are renewed together.
    const isDue = run.leasedAt + early * step <= now
    if (isDue) renewals.push(run)
    return Math.min(next, isDue ? now + step : run.leasedAt + step)
  }

  private renew(held: HeldScope, runs: readonly Run[]): void {
    const { consumer } = held
    if (consumer === undefined) return
    const askedAt = this.clock.now()
    for (const run of runs) run.renewing = true
    consumer.renew(held.scope, held.deliveries(runs)).then(
      (outcomes) => {
        for (const [index, run] of runs.entries()) {
          const outcome = outcomes[index]
          if (outcome === 'confirmed' || outcome === 'sent') {
            run.leasedAt = askedAt
            run.renewing = false
          } else if (outcome === 'lost') this.listener.leaseLost(run, lost(held, 'could not be renewed'))
        }
      },
      // A driver that breaks its word here is noticed when the lease runs out.
      () => {},
    )
  }
}

/** Often enough that one renewal can fail. */
function stepOf(durationMs: number): number {
  return Math.max(1, Math.floor(durationMs / 3))
}

/** Who waits for a slot can be begun elsewhere; who waits for its key, its time or its type cannot, but leases of sessions end. */
function canBeElsewhere(run: Run, scope: LeaseCapability['scope']): boolean {
  if (scope === 'delivery') return run.state === 'waiting' && !run.keyed
  return !run.active && run.state !== 'settling'
}

function lost(held: HeldScope, why: string): PosthornError {
  return new PosthornError(
    'POSTHORN_LEASE_LOST',
    `A delivery of ${held.scope.name} ${why}: its lease is lost.`,
    {
      phase: 'settle',
    },
  )
}
