import type { Run } from './run.ts'

/** How many handlers run, and how many more may. */
export class Slots {
  size: number
  /** Handlers that have begun and not ended. */
  running = 0
  /** Those of them whose time is over. Their slots stay taken, so there are never more than slots. */
  readonly abandoned: Set<Run> = new Set()
  /** How many further handlers may start. */
  allowance: number = Infinity
  private readonly allowances = new Map<object, number>()

  constructor(size: number) {
    this.size = size
  }

  get free(): boolean {
    return this.running < this.size && this.allowance > 0
  }

  /** Nothing runs but handlers whose outcome is decided already. */
  get idle(): boolean {
    return this.running === this.abandoned.size
  }

  take(): void {
    this.running++
    if (this.allowance !== Infinity) this.spend()
  }

  leave(run: Run): void {
    this.running--
    if (run.timedOut) this.abandoned.delete(run)
  }

  /** Allows so many further starts, as far as `owner` is concerned. */
  allow(owner: object, starts: number): void {
    if (starts === Infinity) this.allowances.delete(owner)
    else this.allowances.set(owner, Math.max(0, Math.floor(starts)))
    this.allowance = Math.min(Infinity, ...this.allowances.values())
  }

  private spend(): void {
    for (const [owner, starts] of this.allowances) this.allowances.set(owner, starts - 1)
    this.allowance--
  }
}
