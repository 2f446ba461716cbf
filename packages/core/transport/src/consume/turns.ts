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
  private readonly ready = new Deque<Run>()
  private readonly lanes = new Lanes()

  constructor(clock: Clock, ordered: boolean, wake: () => void) {
    this.clock = clock
    this.ordered = ordered
    this.wake = wake
  }

  /** Lines a delivery up. */
  enter(run: Run, now: number): void {
    if (this.ordered && run.wire.key !== undefined) {
      run.keyed = true
      if (this.lanes.enter(run.wire.key, run)) this.give(run, now)
    } else this.ready.push(run)
  }

  /** The next one to handle. */
  next(): Run | undefined {
    for (let run = this.ready.shift(); run !== undefined; run = this.ready.shift()) {
      if (run.state === 'waiting') return run
    }
    return undefined
  }

  /** The key's next message may go, once this one's handler has really ended. */
  end(run: Run): void {
    if (!run.hasTurn || run.active) return
    run.hasTurn = false
    const next = this.lanes.leave(run.wire.key as string)
    if (next !== undefined) this.give(next, this.clock.now())
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
    run.renew(run.wire)
    run.state = 'waiting'
    this.ready.push(run)
  }

  private give(run: Run, now: number): void {
    run.hasTurn = true
    const { notBefore } = run.wire
    // An attempt that was due later when its last holder gave it back or died still is.
    if (notBefore !== undefined && notBefore > now) this.hold(run, notBefore - now)
    else this.ready.push(run)
  }
}
