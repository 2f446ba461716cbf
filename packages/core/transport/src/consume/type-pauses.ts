import type { Run } from './run.ts'

const shortestReleaseMs = 1_000
const longestReleaseMs = 60_000

/**
 * Message types that are not handed out for now. Their deliveries may hold half of the credit; beyond that they are
 * released with a delay that grows with their number, and one that was released before waits the longest, so that a
 * backlog of a paused type neither blocks the others nor goes round in circles.
 */
export class TypePauses {
  private readonly paused = new Map<string, number>()
  private readonly parked: Run[] = []
  private released = 0

  get any(): boolean {
    return this.paused.size > 0
  }

  get held(): number {
    return this.parked.length
  }

  has(type: string): boolean {
    return this.paused.size > 0 && this.paused.has(type)
  }

  pause(types: readonly string[]): void {
    for (const type of types) this.paused.set(type, (this.paused.get(type) ?? 0) + 1)
  }

  /** Answers the parked deliveries that may go on. */
  resume(types: readonly string[], typeOf: (run: Run) => string): Run[] {
    for (const type of types) {
      const count = this.paused.get(type) ?? 0
      if (count > 1) this.paused.set(type, count - 1)
      else this.paused.delete(type)
    }
    if (this.paused.size === 0) this.released = 0
    return this.take((run) => !this.paused.has(typeOf(run)))
  }

  /** Keeps the delivery (`undefined`), or answers after how many milliseconds it should come again. */
  park(run: Run, credit: number): number | undefined {
    const share = Math.floor(credit / 2)
    if (this.parked.length < share) {
      this.parked.push(run)
      return undefined
    }
    const doublings = Math.floor(this.released++ / Math.max(1, share))
    if (run.wire.releases > 0) return longestReleaseMs
    return Math.min(longestReleaseMs, shortestReleaseMs * 2 ** Math.min(doublings, 10))
  }

  /** Takes out the parked deliveries that fit. */
  take(fits: (run: Run) => boolean): Run[] {
    const taken: Run[] = []
    let kept = 0
    for (const run of this.parked) {
      if (run.state !== 'parked') continue
      if (fits(run)) taken.push(run)
      else this.parked[kept++] = run
    }
    this.parked.length = kept
    return taken
  }
}
