import type { Clock } from '../contract/clock.ts'
import type { Session } from './session.ts'

/**
 * Ends what is held for too long. All leases are of one length, so each session's list is in the order of their ends,
 * and one timer, moved only when it fires, is enough for all.
 */
export class Leases {
  private readonly clock: Clock
  private readonly sessions = new Set<Session>()
  private cancel: (() => void) | undefined = undefined

  constructor(clock: Clock) {
    this.clock = clock
  }

  add(session: Session): void {
    this.sessions.add(session)
  }

  /** The last one takes the timer with it. */
  remove(session: Session): void {
    this.sessions.delete(session)
    if (this.sessions.size > 0) return
    this.cancel?.()
    this.cancel = undefined
  }

  /** Something is held until `deadline`, the latest of all. */
  granted(deadline: number): void {
    if (this.cancel === undefined) this.arm(deadline)
  }

  private arm(at: number): void {
    this.cancel = this.clock.setTimer(() => this.expire(), at - this.clock.now())
  }

  private expire(): void {
    this.cancel = undefined
    const now = this.clock.now()
    let nearest = Infinity
    for (const session of this.sessions) nearest = Math.min(nearest, session.expire(now))
    if (nearest !== Infinity && this.cancel === undefined) this.arm(nearest)
  }
}
