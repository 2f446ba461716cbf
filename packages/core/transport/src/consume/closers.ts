import { inTime } from './in-time.ts'
import type { RunnerHost } from './runner-host.ts'

/** How long all of them together may take. Milliseconds. */
const graceMs = 5_000

/** What middleware wants to be called when its consumer has stopped. */
export class Closers {
  private readonly host: RunnerHost
  private callbacks: (() => void | Promise<void>)[] = []

  constructor(host: RunnerHost) {
    this.host = host
  }

  add(callback: () => void | Promise<void>): void {
    this.callbacks.push(callback)
  }

  /** Calls each once, in the order in which they came. Never rejects, and ends in time. */
  async close(): Promise<void> {
    const { callbacks } = this
    this.callbacks = []
    if (callbacks.length > 0) await inTime(this.host.clock, graceMs, this.callEach(callbacks))
  }

  private async callEach(callbacks: readonly (() => void | Promise<void>)[]): Promise<void> {
    for (const callback of callbacks) {
      try {
        await callback()
      } catch (error) {
        this.host.emit('callbackFailed', {
          where: `a middleware of "${this.host.source}" while closing`,
          error,
        })
      }
    }
  }
}
