import { maxHighs, maxSpan, readMetadata, writeMetadata, type HeldState } from './commit-metadata.ts'

/** One record that was handed out and not passed by the watermark. */
export interface Entry {
  readonly offset: number
  readonly nextOffset: number
  isDone: boolean
}

/**
 * How far one partition is worked off: everything below the watermark is done, and some of what is above it. Holes in the
 * offsets are fine.
 */
export class Position {
  /** What was recorded of messages that are held, by offset. */
  readonly held: Map<number, HeldState>
  /** What is handed out next is at this offset or later. */
  next: number
  /** Records below this may be handed out: the broker knows that they may have been. */
  reserved: number
  /** How many of them the next commit reserves beyond what is handed out. */
  private reserve = 1
  /** Below which offsets something may have been handed out before, for each time. */
  private readonly formerHighs: readonly number[]
  /** Done before, and not passed. */
  private readonly formerDone: ReadonlySet<number>
  private entries: Entry[] = []
  private head = 0

  /** From what was committed: an offset and its metadata. */
  constructor(offset: number, metadata: string) {
    const { highs, done, held } = readMetadata(offset, metadata)
    this.next = offset
    this.formerHighs = highs
    this.reserved = offset
    this.formerDone = new Set(done)
    this.held = new Map(held)
  }

  get watermark(): number {
    return this.entries[this.head]?.offset ?? this.next
  }

  /** Offsets from the watermark to what is handed out next. */
  get span(): number {
    return this.next - this.watermark
  }

  /** Whether there is room for what is above a watermark that does not move. */
  get isFull(): boolean {
    return this.span >= maxSpan
  }

  /** Reserves so many from now on; answers whether there is to be a commit, since nothing of what is reserved is handed out. */
  reserveAhead(count: number): boolean {
    this.reserve = count
    if (count > 0 || this.reserved <= this.next) return false
    this.reserved = this.next
    return true
  }

  wasDone(offset: number): boolean {
    return this.formerDone.has(offset)
  }

  /** Hand-outs of a record at this offset, this one included, as far as they are known. */
  deliveriesOf(offset: number): number {
    return this.formerHighs.reduce((count, high) => (high > offset ? count + 1 : count), 1)
  }

  handOut(offset: number, nextOffset: number): Entry {
    const entry = { offset, nextOffset, isDone: false }
    this.entries.push(entry)
    this.next = nextOffset
    return entry
  }

  /** A record that nobody gets. */
  pass(nextOffset: number): void {
    this.next = Math.max(this.next, nextOffset)
  }

  done(entry: Entry): void {
    entry.isDone = true
    this.held.delete(entry.offset)
    while (this.entries[this.head]?.isDone === true) this.head += 1
    if (this.head > 1_024 && this.head * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.head)
      this.head = 0
    }
  }

  /** What to commit. `isOver`: nothing more is handed out, so that what is open counts as never handed out. */
  commit(isOver: boolean): { readonly offset: number; readonly metadata: string; readonly reserves: number } {
    const { watermark } = this
    const done = [...this.formerDone].filter((offset) => offset >= watermark)
    for (let index = this.head; index < this.entries.length; index++) {
      const entry = this.entries[index]!
      if (entry.isDone) done.push(entry.offset)
    }
    done.sort((left, right) => left - right)
    const highs = this.formerHighs.filter((high) => high > watermark)
    const reserves = this.next + this.reserve
    if (!isOver) highs.push(reserves)
    const metadata = writeMetadata(watermark, { highs: highs.slice(-maxHighs), done, held: this.held })
    return { offset: watermark, metadata, reserves }
  }
}
