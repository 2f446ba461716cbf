import type { HistogramReading } from './family.ts'

/** Upper bounds in seconds: from a quick handler to a queue that is half an hour behind. */
const secondsBounds: readonly number[] = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800,
]

/** Counts observations by size. */
export class Histogram {
  private readonly bounds: readonly number[]
  private readonly counts: number[]
  count = 0
  sum = 0

  constructor(bounds: readonly number[] = secondsBounds) {
    this.bounds = bounds
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  observe(value: number): void {
    const { bounds, counts } = this
    let bucket = 0
    while (bucket < bounds.length && value > bounds[bucket]!) bucket += 1
    counts[bucket]! += 1
    this.count += 1
    this.sum += value
  }

  /** All that another one with the same bounds has observed. */
  add(other: Histogram): void {
    for (const [bucket, count] of other.counts.entries()) this.counts[bucket]! += count
    this.count += other.count
    this.sum += other.sum
  }

  read(): HistogramReading {
    return { bounds: this.bounds, counts: [...this.counts], count: this.count }
  }

  /** What this share of the observations does not exceed, as well as the buckets know; `undefined` without any. */
  quantile(share: number): number | undefined {
    if (this.count === 0) return undefined
    const wanted = Math.max(1, Math.ceil(share * this.count))
    let seen = 0
    let bucket = 0
    while ((seen += this.counts[bucket]!) < wanted) bucket += 1
    // The last bucket has no bound to name.
    return this.bounds[bucket] ?? Infinity
  }

  get mean(): number | undefined {
    return this.count === 0 ? undefined : this.sum / this.count
  }
}
