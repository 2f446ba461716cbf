import type { Clock } from '@posthorn/transport'
import { wait } from './wait.ts'

/** Lets one after the other go, evenly, `perSecond` of them in a second. */
export class Pace {
  private readonly clock: Clock
  private readonly stepMs: number
  private nextAt = -Infinity

  constructor(clock: Clock, perSecond: number) {
    this.clock = clock
    this.stepMs = 1_000 / perSecond
  }

  /** Resolves when the next one may go; with false when it was aborted before. */
  async turn(signal: AbortSignal): Promise<boolean> {
    const now = this.clock.now()
    const dueAt = Math.max(now, this.nextAt)
    this.nextAt = dueAt + this.stepMs
    if (dueAt <= now) return !signal.aborted
    return wait(this.clock, dueAt - now, signal)
  }
}
