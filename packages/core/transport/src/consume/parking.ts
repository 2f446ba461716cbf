import type { Run } from './run.ts'

const shortestReleaseMs = 1_000
const longestReleaseMs = 60_000
/** Between two that are released, so that a large backlog costs a hundred hand-outs a second at most, at first. */
const spacingMs = 10

/**
 * Deliveries of message types that are not handed out for now. They may hold half of their scope's window; beyond that
 * they are released with a delay that grows with their number, and for each with the releases that it has behind it, so
 * that a backlog of a paused type neither blocks the others nor goes round in circles, and a short pause is soon over.
 */
export class Parking {
  private readonly parked = new Set<Run>()
  private released = 0

  get size(): number {
    return this.parked.size
  }

  /** Keeps the delivery (`undefined`), or answers after how many milliseconds it should come again. */
  park(run: Run): number | undefined {
    const { held } = run
    if (held.parked < Math.floor(held.window / 2)) {
      held.parked++
      run.state = 'parked'
      this.parked.add(run)
      return undefined
    }
    const ownMs = shortestReleaseMs * 2 ** Math.min(run.wire.releases, 10)
    return Math.min(longestReleaseMs, Math.max(ownMs, spacingMs * this.released++))
  }

  /** Takes out the deliveries that fit; they wait again. */
  take(fits: (run: Run) => boolean): Run[] {
    const taken = [...this.parked].filter(fits)
    for (const run of taken) {
      this.forget(run)
      run.state = 'waiting'
    }
    return taken
  }

  /** It is given back, or lost. */
  forget(run: Run): void {
    if (this.parked.delete(run)) run.held.parked--
  }

  /** Nothing is paused any more: what comes next is released with short delays again. */
  reset(): void {
    this.released = 0
  }
}
