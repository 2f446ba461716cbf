/** Ids that are remembered at a time at most; beyond it the oldest are forgotten before their time. */
const maxIds = 100_000

/** Remembers the ids of the last while. */
export class Deduplication {
  readonly windowMs: number
  /** When each id is forgotten, in the order in which they came. */
  private readonly ids = new Map<string, number>()

  constructor(windowMs: number) {
    this.windowMs = windowMs
  }

  has(id: string, now: number): boolean {
    const until = this.ids.get(id)
    return until !== undefined && until > now
  }

  add(id: string, now: number): void {
    for (const [oldest, until] of this.ids) {
      if (until > now && this.ids.size < maxIds) break
      this.ids.delete(oldest)
    }
    this.ids.set(id, now + this.windowMs)
  }
}
