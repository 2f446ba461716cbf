import type { Clock } from '../contract/clock.ts'

/** One timer for the earliest of many moments. */
export class Alarm {
  private readonly clock: Clock
  private readonly ring: () => void
  private at = Infinity
  private cancel: (() => void) | undefined

  constructor(clock: Clock, ring: () => void) {
    this.clock = clock
    this.ring = ring
  }

  /** Rings at this time, in epoch milliseconds, unless it rings before. */
  set(at: number): void {
    if (at >= this.at) return
    this.cancel?.()
    this.at = at
    this.cancel = this.clock.setTimer(
      () => {
        this.at = Infinity
        this.ring()
      },
      Math.max(0, at - this.clock.now()),
    )
  }

  /** Never rings again. */
  stop(): void {
    this.cancel?.()
    this.at = -Infinity
  }
}
