import type { Clock } from '../contract/clock.ts'
import { inTime } from './in-time.ts'

export interface StallWatchOptions {
  readonly clock: Clock
  /** How long nothing may come. Milliseconds. */
  readonly stallMs: number
  /** When something last came; epoch milliseconds. */
  readonly deliveredAt: () => number
  /** When something last came, or could begin to; `undefined` while there is no credit, or something is held or paused. */
  readonly hungrySince: () => number | undefined
  /** How much waits; `undefined` where nobody says. */
  readonly ready: () => Promise<number | undefined>
  readonly stalled: (idleMs: number, ready: number) => void
}

/** So many looks within its patience. */
const looks = 4

/**
 * Notices that nothing comes though there is credit, the consumer is live, nothing is paused and the source is not empty.
 * Each stall in a row doubles the patience, up to 64 times.
 */
export class StallWatch {
  private readonly options: StallWatchOptions
  private cancel: (() => void) | undefined
  private stopped = false
  private stalls = 0
  private stalledAt = 0
  /** Since when it was seen to get nothing; a single look may fall between two deliveries. */
  private emptySince: number | undefined

  constructor(options: StallWatchOptions) {
    this.options = options
  }

  start(): void {
    if (this.stopped) return
    const lookLater = (): void => {
      void this.check().finally(() => this.start())
    }
    this.cancel = this.options.clock.setTimer(lookLater, Math.max(1, Math.floor(this.patienceMs / looks)))
  }

  stop(): void {
    this.stopped = true
    this.cancel?.()
  }

  private get patienceMs(): number {
    return this.options.stallMs * 2 ** Math.min(this.stalls, 6)
  }

  private async check(): Promise<void> {
    const { clock, deliveredAt, stalled } = this.options
    if (deliveredAt() > this.stalledAt) this.stalls = 0
    const idleMs = this.look()
    if (idleMs === undefined || idleMs < this.patienceMs) return
    const ready = (await inTime(clock, this.patienceMs, this.options.ready())) ?? 0
    // What came, or was paused, while the broker was asked is no stall.
    if (ready === 0 || this.stopped || (this.look() ?? 0) < idleMs) return
    this.stalls++
    this.stalledAt = clock.now()
    this.emptySince = undefined
    stalled(idleMs, ready)
  }

  private look(): number | undefined {
    const now = this.options.clock.now()
    const since = this.options.hungrySince()
    if (since === undefined || (this.emptySince !== undefined && since >= this.emptySince))
      this.emptySince = undefined
    if (since === undefined) return undefined
    this.emptySince ??= now
    return now - this.emptySince
  }
}
