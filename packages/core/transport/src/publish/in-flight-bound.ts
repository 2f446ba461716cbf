import { Deque } from '../deque.ts'
import type { Pending } from './pending.ts'

export interface InFlightLimits {
  readonly maxInFlight: number
  readonly maxInFlightBytes: number
  readonly whenFull: 'wait' | 'reject'
}

/**
 * Bounds what is sent and not answered, in number and bytes, and keeps those that wait for room in their order: as many
 * again, and as many bytes.
 */
export class InFlightBound {
  count = 0
  bytes = 0
  private readonly limits: InFlightLimits
  private readonly waiting = new Deque<Pending>()
  private waitingBytes = 0

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
    if (!this.mayWait(pending)) return 'full'
    this.waiting.push(pending)
    this.waitingBytes += pending.wire.body.length
    return 'waits'
  }

  leave(pending: Pending): void {
    this.count--
    this.bytes -= pending.wire.body.length
  }

  /** The next waiter for whom there is room, now counted. Those answered meanwhile are passed over. */
  next(): Pending | undefined {
    for (let pending = this.waiting.peek(); pending !== undefined; pending = this.waiting.peek()) {
      if (!pending.answered && !this.fits(pending)) return undefined
      this.waiting.shift()
      this.waitingBytes -= pending.wire.body.length
      if (pending.answered) continue
      this.take(pending)
      return pending
    }
    return undefined
  }

  /** Every waiter, in order; those that have been answered go. */
  each(visit?: (pending: Pending) => void): void {
    for (const pending of this.waiting.drain()) {
      visit?.(pending)
      if (pending.answered) this.waitingBytes -= pending.wire.body.length
      else this.waiting.push(pending)
    }
  }

  private fits(pending: Pending): boolean {
    // A single message above the byte bound goes alone rather than never.
    if (this.count === 0) return true
    return (
      this.count < this.limits.maxInFlight &&
      this.bytes + pending.wire.body.length <= this.limits.maxInFlightBytes
    )
  }

  private mayWait(pending: Pending): boolean {
    const { maxInFlight, maxInFlightBytes, whenFull } = this.limits
    if (whenFull === 'reject') return false
    if (this.waiting.length === 0) return true
    return (
      this.waiting.length < maxInFlight && this.waitingBytes + pending.wire.body.length <= maxInFlightBytes
    )
  }

  private take(pending: Pending): void {
    this.count++
    this.bytes += pending.wire.body.length
  }
}
