import type { Clock } from '@posthorn/transport'
import type { BreakerState } from './breaker-state.ts'

const maxRemembered = 1_000

/**
 * Lets messages that were tried before step back once in each half-open for those that were not. Otherwise one that fails
 * by itself, and is the first in line each time, would keep the breaker open for all others.
 */
export class TrialOrder {
  private readonly state: BreakerState
  private readonly clock: Clock
  /** Ids, each with when the half-open began that it last took part in. */
  private readonly tried = new Map<string, number>()

  constructor(state: BreakerState, clock: Clock) {
    this.state = state
    this.clock = clock
  }

  /** Whether others are to be tried first, if there are any. */
  stepsBack(id: string): boolean {
    const { tried, state } = this
    if (tried.size === 0) return false
    state.tick(this.clock.now())
    if (state.name === 'closed') tried.clear()
    const lastIn = tried.get(id)
    if (state.name !== 'half-open' || lastIn === undefined || lastIn === state.since) return false
    tried.set(id, state.since)
    return true
  }

  /** Its call was let in. */
  begun(id: string): void {
    const { tried, state } = this
    if (state.name !== 'half-open') return
    tried.delete(id)
    tried.set(id, state.since)
    if (tried.size > maxRemembered) tried.delete(tried.keys().next().value as string)
  }
}
