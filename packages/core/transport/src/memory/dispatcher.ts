import type { Clock } from '../contract/clock.ts'
import type { Line } from './line.ts'

/** Hands out at the end of the turn: what a batch brings or frees goes out as a batch, and no call nests in another. */
export class Dispatcher {
  private readonly clock: Clock
  private awake: Line[] = []

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** There may be something to hand out. */
  wake(line: Line): void {
    if (line.awake) return
    line.awake = true
    this.awake.push(line)
    if (this.awake.length === 1) this.clock.defer(this.run)
  }

  private readonly run = (): void => {
    const lines = this.awake
    this.awake = []
    for (const line of lines) line.awake = false
    const now = this.clock.now()
    for (const line of lines) line.handOut(now)
  }
}
