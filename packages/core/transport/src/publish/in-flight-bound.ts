import { Deque } from '../deque.ts'
import type { Pending } from './pending.ts'

export interface InFlightLimits {
  readonly maxInFlight: number
  readonly maxInFlightBytes: number
  readonly whenFull: 'wait' | 'reject'
}

/** Bounds what is sent and not answered, in number and bytes, and keeps those that wait for room in their order. */
export class InFlightBound {
  count = 0
  bytes = 0
  private readonly limits: InFlightLimits
  private readonly waiting = new Deque<Pending>()

  constructor(limits: InFlightLimits) {
    this.limits = limits
  }

  get waiters(): number {
    return this.waiting.length
  }

  /** `in`: it counts. `waits`: it will come out of `next`. `full`: refuse it. */
  enter(pending: Pending): 'in' | 'waits' | 'full' {
    if (this.waiting.length === 0 && this.fits(pending)) {
      this.take(pending)
      return 'in'
    }
    if (this.limits.whenFull === 'reject' || this.waiting.length >= this.limits.maxInFlight) return 'full'
    this.waiting.push(pending)
    return 'waits'
  }

  leave(pending: Pending): void {
    this.count--
    this.bytes -= pending.wire.body.length
  }

  /** The next waiter for whom there is room, now counted. Those answered meanwhile are passed over. */
  next(): Pending | undefined {
    for (let pending = this.waiting.peek(); pending !== undefined; pending = this.waiting.peek()) {
      if (pending.answered) {
        this.waiting.shift()
        continue
      }
      if (!this.fits(pending)) return undefined
      this.waiting.shift()
      this.take(pending)
      return pending
    }
    return undefined
  }

  /** Every waiter, in order; they stay. */
  each(visit: (pending: Pending) => void): void {
    for (const pending of this.waiting.drain()) {
      visit(pending)
      if (!pending.answered) this.waiting.push(pending)
    }
  }

  private fits(pending: Pending): boolean {
    // A single message above the byte bound goes alone rather than never.
    if (this.count === 0) return true
    return (
      this.count < this.limits.maxInFlight && this.bytes + pending.wire.body.length <= this.limits.maxInFlightBytes
    )
  }

  private take(pending: Pending): void {
    this.count++
    this.bytes += pending.wire.body.length
  }
}
