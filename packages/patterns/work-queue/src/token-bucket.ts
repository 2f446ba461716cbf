/** Takes a token for each start; refills evenly. Holds one number: when the bucket would be full again. */
export class TokenBucket {
  private readonly max: number
  private readonly perMs: number
  private fullAt = -Infinity

  constructor(max: number, perMs: number) {
    this.max = max
    this.perMs = perMs
  }

  /** Takes one, also where none is left: what came too early is waited for later. */
  take(now: number): void {
    this.fullAt = Math.max(this.fullAt, now) + this.perMs / this.max
  }

  /** Whole tokens. */
  available(now: number): number {
    const missing = (Math.max(0, this.fullAt - now) * this.max) / this.perMs
    return Math.max(0, Math.floor(this.max - missing + tolerance))
  }

  /** Milliseconds until there are so many. */
  waitFor(tokens: number, now: number): number {
    const at = this.fullAt - ((this.max - tokens) * this.perMs) / this.max
    return Math.max(0, Math.ceil(at - now - tolerance))
  }
}

/** Sums of fractions are off by a little. */
const tolerance = 1e-6
