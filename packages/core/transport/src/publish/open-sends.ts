import type { Clock } from '../contract/clock.ts'

/** How many sends have no answer, and waiting until there is none. */
export class OpenSends {
  private readonly clock: Clock
  private count = 0
  private waiting: (() => void)[] = []

  constructor(clock: Clock) {
    this.clock = clock
  }

  begun(): void {
    this.count++
  }

  ended(): void {
    if (--this.count > 0) return
    for (const resolve of this.waiting.splice(0)) resolve()
  }

  /** Resolves when there is none, or after `limitMs`; answers how many are left. */
  async none(limitMs: number): Promise<number> {
    if (this.count === 0) return 0
    await new Promise<void>((resolve) => {
      const cancel = this.clock.setTimer(resolve, Math.max(0, limitMs))
      this.waiting.push(() => {
        cancel()
        resolve()
      })
    })
    return this.count
  }
}
