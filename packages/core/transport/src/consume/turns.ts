import type { Clock } from '../contract/clock.ts'
import { Deque } from '../deque.ts'
import { Lanes } from './lanes.ts'
import type { Run } from './run.ts'

/** Who may be handled next: in the order of arrival, one at a time for each key, none before its time. */
export class Turns {
  private readonly clock: Clock
  private readonly ordered: boolean
  /** Called when something becomes ready outside of a delivery. */
  private readonly wake: () => void
  private readonly line = new Deque<Run>()
  private readonly lanes = new Lanes()

  constructor(clock: Clock, ordered: boolean, wake: () => void) {
    this.clock = clock
    this.ordered = ordered
    this.wake = wake
  }

  /** How many are ready, or were and have not been forgotten. */
  get ready(): number {
    return this.line.length
  }

  /** How many wait for their key, or did and have not been forgotten. */
  get behind(): number {
    return this.lanes.length
  }

  /** Lines a delivery up. */
  enter(run: Run, now: number): void {
    if (this.ordered && run.wire.key !== undefined) {
      run.keyed = true
      if (!this.lanes.enter(run.wire.key, run)) return
      run.hasTurn = true
    }
    this.admit(run, now)
  }

  /** The next one to handle. */
  next(): Run | undefined {
    for (let run = this.line.shift(); run !== undefined; run = this.line.shift()) {
      run.lined = false
      if (run.state === 'waiting') return run
    }
    return undefined
  }

  /** The key's next message may go, once this one's handler has really ended. */
  end(run: Run): void {
    if (!run.hasTurn || run.active) return
    run.hasTurn = false
    const next = this.lanes.leave(run.wire.key as string)
    if (next === undefined) return
    next.hasTurn = true
    this.admit(next, this.clock.now())
  }

  /** Keeps a delivery, and its key, until its time has come. */
  hold(run: Run, delayMs: number): void {
    run.state = 'holding'
    run.due = false
    run.cancelWait = this.clock.setTimer(() => {
      run.due = true
      this.resume(run)
      this.wake()
    }, delayMs)
  }

  /** Goes on with what was held, when its time has come and its last handler has ended. */
  resume(run: Run): void {
    if (run.state !== 'holding' || !run.due || run.active) return
    run.renew()
    run.state = 'waiting'
    this.lineUp(run)
  }

  /** Forgets what is not waiting any more. */
  compact(): void {
    for (let left = this.line.length; left > 0; left--) {
      const run = this.line.shift() as Run
      if (run.state === 'waiting') this.line.push(run)
      else run.lined = false
    }
    this.lanes.compact()
  }

  private admit(run: Run, now: number): void {
    const { notBefore } = run.wire
    // An attempt that was due later when its last holder gave it back or died still is.
    if (notBefore !== undefined && notBefore > now) this.hold(run, notBefore - now)
    else this.lineUp(run)
  }

  /** One that was parked meanwhile has kept its place. */
  private lineUp(run: Run): void {
    if (run.lined) return
    run.lined = true
    this.line.push(run)
  }
}
