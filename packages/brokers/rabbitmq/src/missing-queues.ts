import type { Clock } from '@posthorn/transport/driver'

/** How long the server needs to be done with a deleted queue. Milliseconds; 3.10 took 30 here. */
const partingMs = 500

/**
 * Queues that were found missing just now. One that is made again within milliseconds of its deletion is taken for the old
 * one by channels that knew that (seen on 3.10): they confirm what they do not keep, and hand out nothing.
 */
export class MissingQueues {
  private readonly clock: Clock
  /** When each was found missing; epoch milliseconds. */
  private readonly found = new Map<string, number>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  add(queue: string): void {
    this.forgetOld()
    this.found.set(queue, this.clock.now())
  }

  /** Resolves when these queues can be made. */
  async parted(queues: readonly string[]): Promise<void> {
    this.forgetOld()
    const last = Math.max(0, ...queues.map((queue) => this.found.get(queue) ?? 0))
    const waitMs = last + partingMs - this.clock.now()
    if (waitMs > 0) await new Promise<void>((resolve) => this.clock.setTimer(resolve, waitMs))
  }

  private forgetOld(): void {
    const now = this.clock.now()
    for (const [queue, at] of this.found) if (at + partingMs <= now) this.found.delete(queue)
  }
}
