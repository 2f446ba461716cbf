import { Deque } from '../deque.ts'
import type { Run } from './run.ts'

/**
 * Lines up messages of one key: the first goes, the others wait until it is done with. A lane lives only while its key
 * is in the window.
 */
export class Lanes {
  private readonly lanes = new Map<string, Deque<Run>>()

  /** True when the run may go on; false when it waits in its lane. */
  enter(key: string, run: Run): boolean {
    const lane = this.lanes.get(key)
    if (lane === undefined) {
      this.lanes.set(key, new Deque())
      return true
    }
    lane.push(run)
    return false
  }

  /** The key's turn is over; answers who is next. */
  leave(key: string): Run | undefined {
    const lane = this.lanes.get(key)
    for (let run = lane?.shift(); run !== undefined; run = lane?.shift()) {
      // One that is being given back still is in its lane, and must not get the turn: nobody would end it.
      if (run.state === 'waiting') return run
    }
    this.lanes.delete(key)
    return undefined
  }

  /** Forgets what was given back or lost while its key was busy. */
  compact(): void {
    for (const lane of this.lanes.values()) {
      for (let left = lane.length; left > 0; left--) {
        const run = lane.shift() as Run
        if (run.state === 'waiting') lane.push(run)
      }
    }
  }

  get size(): number {
    return this.lanes.size
  }

  /** Messages that wait in lanes, or waited and have not been forgotten. */
  get length(): number {
    let length = 0
    for (const lane of this.lanes.values()) length += lane.length
    return length
  }
}
