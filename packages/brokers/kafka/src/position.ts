import {
  maxHighs,
  maxListed,
  maxSpan,
  readMetadata,
  writeMetadata,
  type HeldState,
} from './commit-metadata.ts'

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
  private formerDone: ReadonlySet<number>
  private readonly lastFormer: number
  private readonly log: string | undefined
  private entries: Entry[] = []
  private head = 0

  /** From what was committed: an offset and its metadata; `log` is which log it is of. */
  constructor(offset: number, metadata: string, log?: string) {
    const { highs, done, held } = readMetadata(offset, metadata)
    this.next = offset
    this.formerHighs = highs
    this.reserved = offset
    this.formerDone = new Set(done)
    this.lastFormer = done.at(-1) ?? -1
    this.held = new Map(held)
    this.log = log
  }

  get watermark(): number {
    return this.entries[this.head]?.offset ?? this.next
  }

  /** Whether there is room to say of it that it is done while what is open before it is not. */
  hasRoomFor(offset: number): boolean {
    const first = this.entries[this.head]
    if (first === undefined || offset - first.offset < maxSpan) return true
    return this.entries.length - this.head + this.formerDone.size < maxListed
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
    const { watermark, log } = this
    this.forget(watermark)
    const done: number[] = []
    for (const offset of this.formerDone) if (offset >= watermark) done.push(offset)
    for (let index = this.head; index < this.entries.length; index++) {
      const entry = this.entries[index]!
      if (entry.isDone) done.push(entry.offset)
    }
    const highs = this.formerHighs.filter((high) => high > watermark)
    const reserves = this.next + this.reserve
    if (!isOver) highs.push(reserves)
    const metadata = writeMetadata(watermark, { log, highs: highs.slice(-maxHighs), done, held: this.held })
    return { offset: watermark, metadata, reserves }
  }

  /** What was kept of records that are passed: of some nothing was heard again, since they are gone. */
  private forget(watermark: number): void {
    if (this.formerDone.size > 0 && this.lastFormer < watermark) this.formerDone = new Set()
    for (const offset of this.held.keys()) if (offset < watermark) this.held.delete(offset)
  }
}
