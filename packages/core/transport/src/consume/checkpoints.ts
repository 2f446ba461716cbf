import type { Clock } from '../contract/clock.ts'

/** Lets others wait for what changes only when handlers end or settlements are answered. */
export class Checkpoints {
  private readonly clock: Clock
  private readonly checks = new Set<() => void>()
  private idle: (() => void)[] = []

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Resolves when the condition holds, or after the time. */
  until(condition: () => boolean, deadlineMs: number): Promise<void> {
    if (condition()) return Promise.resolve()
    return new Promise((resolve) => {
      const end = (): void => {
        this.checks.delete(check)
        cancel()
        resolve()
      }
      const check = (): void => {
        if (condition()) end()
      }
      const cancel = this.clock.setTimer(end, Math.max(0, deadlineMs))
      this.checks.add(check)
    })
  }

  /** Calls back once no handler runs. */
  whenIdle(callback: () => void): void {
    this.idle.push(callback)
  }

  check(running: number): void {
    if (running === 0 && this.idle.length > 0) {
      const { idle } = this
      this.idle = []
      for (const callback of idle) callback()
    }
    if (this.checks.size > 0) for (const check of [...this.checks]) check()
  }
}
