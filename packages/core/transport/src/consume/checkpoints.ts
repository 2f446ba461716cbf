import type { Clock } from '../contract/clock.ts'

/** Lets others wait for what changes only when handlers end or settlements are answered. */
export class Checkpoints {
  private readonly clock: Clock
  private readonly checks = new Set<() => void>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Calls back once, as soon as the condition holds; answers how to cancel. */
  when(condition: () => boolean, callback: () => void): () => void {
    const check = (): void => {
      // Another one's callback may have cancelled it.
      if (!this.checks.has(check) || !condition()) return
      this.checks.delete(check)
      callback()
    }
    this.checks.add(check)
    check()
    return () => this.checks.delete(check)
  }

  /** Resolves when the condition holds, or after the time. */
  until(condition: () => boolean, deadlineMs: number): Promise<void> {
    if (condition()) return Promise.resolve()
    return new Promise((resolve) => {
      const stop = this.when(condition, () => {
        cancel()
        resolve()
      })
      const cancel = this.clock.setTimer(
        () => {
          stop()
          resolve()
        },
        Math.max(0, deadlineMs),
      )
    })
  }

  check(): void {
    if (this.checks.size > 0) for (const check of [...this.checks]) check()
  }
}
