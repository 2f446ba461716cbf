import { ChunkedQueue } from './chunked-queue.ts'
import { Entry, precedes, priorityOf } from './entry.ts'
import { Heap } from './heap.ts'
import type { Letter, Origin } from './entry.ts'
import type { Line } from './line.ts'
import type { WireMessage } from '../contract/wire-message.ts'

/** The ready messages of one priority, as they came. Its first item has the sequence `first`, the next `first + 1`, … */
interface Level {
  readonly items: ChunkedQueue<WireMessage | Entry>
  first: number
}

const levelCount = 10

/**
 * What a line has ready: by priority, then first in, first out. A message that was never handed out is kept as it is,
 * its position implied, since there may be millions; only what came back, or is a dead letter, is kept as an entry.
 */
export class Backlog {
  /** Entries that can be taken. */
  size = 0
  private readonly line: Line
  private readonly usesPriority: boolean
  private readonly levels: (Level | undefined)[] = new Array<Level | undefined>(levelCount).fill(undefined)
  /** A bit for each priority that has items in its level. */
  private filled = 0
  private readonly returned = new Heap<Entry>(precedes)
  /** Entries in the levels and in `returned` that were discarded. */
  private discarded = 0

  constructor(line: Line, usesPriority: boolean) {
    this.line = line
    this.usesPriority = usesPriority
  }

  /** Puts a message that nobody had yet at the end. */
  push(message: WireMessage): void {
    this.append(message, this.priority(message))
  }

  /** The same for a message that is more than its fields. */
  pushEntry(message: WireMessage, origin: Origin | undefined, letter: Letter | undefined): Entry {
    const priority = this.priority(message)
    const { first, items } = this.level(priority)
    const entry = new Entry(this.line, message, first + items.length, priority, 1, origin, letter)
    this.append(entry, priority)
    return entry
  }

  /** Puts back what had been taken, at its old position. */
  putBack(entry: Entry): void {
    entry.place = 'ready'
    this.returned.push(entry)
    this.size++
  }

  /** The first of all. */
  take(): Entry | undefined {
    if (this.size === 0) return undefined
    for (;;) {
      const entry = this.pop()
      if (entry.place !== 'spent') {
        this.size--
        return entry
      }
      this.discarded--
    }
  }

  /** Whether `take` would give something that goes before this entry. */
  hasBefore(entry: Entry): boolean {
    if (this.size === 0) return false
    while (this.returned.peek()?.place === 'spent') {
      this.returned.pop()
      this.discarded--
    }
    const returned = this.returned.peek()
    if (returned !== undefined && precedes(returned, entry)) return true
    const priority = this.topPriority()
    if (priority !== entry.priority) return priority > entry.priority
    return (this.levels[priority] as Level).first < entry.sequence
  }

  /** Places in use, also by what was discarded. */
  get room(): number {
    return this.size + this.discarded
  }

  /** Removes an entry from wherever it is. */
  discard(entry: Entry): void {
    entry.place = 'spent'
    this.size--
    this.discarded++
    if (this.discarded > 64 && this.discarded > this.size) this.compact()
  }

  /** Mixes up the first `count`: their positions stay, who has which does not. */
  shuffle(count: number, random: () => number): void {
    const entries: Entry[] = []
    for (let entry = this.take(); entry !== undefined; entry = this.take()) {
      entries.push(entry)
      if (entries.length === count) break
    }
    for (let index = entries.length - 1; index > 0; index--) {
      const one = entries[index] as Entry
      const other = entries[Math.floor(random() * (index + 1))] as Entry
      const { priority, sequence } = one
      one.priority = other.priority
      one.sequence = other.sequence
      other.priority = priority
      other.sequence = sequence
    }
    for (const entry of entries) this.putBack(entry)
  }

  /** In no order. */
  *[Symbol.iterator](): Generator<WireMessage | Entry> {
    for (const level of this.levels) {
      for (const item of level?.items ?? [])
        if (!(item instanceof Entry && item.place === 'spent')) yield item
    }
    for (const entry of this.returned.values()) if (entry.place !== 'spent') yield entry
  }

  /** What was made first, as far as the heads of the levels tell; epoch milliseconds. */
  oldestTime(): number | undefined {
    let oldest: number | undefined
    const consider = (message: WireMessage): void => {
      if (oldest === undefined || message.time < oldest) oldest = message.time
    }
    for (const level of this.levels) {
      for (const item of level?.items ?? []) {
        if (item instanceof Entry && item.place === 'spent') continue
        consider(item instanceof Entry ? item.message : item)
        break
      }
    }
    for (const entry of this.returned.values()) if (entry.place !== 'spent') consider(entry.message)
    return oldest
  }

  private append(item: WireMessage | Entry, priority: number): void {
    this.level(priority).items.push(item)
    this.filled |= 1 << priority
    this.size++
  }

  private priority(message: WireMessage): number {
    return this.usesPriority ? priorityOf(message) : 0
  }

  private level(priority: number): Level {
    let level = this.levels[priority]
    if (level === undefined) {
      level = { items: new ChunkedQueue(), first: 0 }
      this.levels[priority] = level
    }
    return level
  }

  /** The highest priority that has items in its level, or -1. */
  private topPriority(): number {
    return 31 - Math.clz32(this.filled)
  }

  private pop(): Entry {
    const priority = this.topPriority()
    const returned = this.returned.peek()
    if (returned !== undefined && this.isFirst(returned, priority)) return this.returned.pop() as Entry
    const level = this.levels[priority] as Level
    const item = level.items.shift() as WireMessage | Entry
    const sequence = level.first++
    if (level.items.length === 0) this.filled &= ~(1 << priority)
    return item instanceof Entry
      ? item
      : new Entry(this.line, item, sequence, priority, 1, undefined, undefined)
  }

  private isFirst(returned: Entry, topPriority: number): boolean {
    if (returned.priority !== topPriority) return returned.priority > topPriority
    return returned.sequence < (this.levels[topPriority] as Level).first
  }

  /** Drops what was discarded. What is left in the levels goes on as returned, or the positions would shift. */
  private compact(): void {
    this.returned.filter((entry) => entry.place !== 'spent')
    const left: Entry[] = []
    while (this.filled !== 0) {
      const priority = this.topPriority()
      const level = this.levels[priority] as Level
      while (level.items.length > 0) {
        const item = level.items.shift() as WireMessage | Entry
        const sequence = level.first++
        const entry =
          item instanceof Entry
            ? item
            : new Entry(this.line, item, sequence, priority, 1, undefined, undefined)
        if (entry.place !== 'spent') left.push(entry)
      }
      this.filled &= ~(1 << priority)
    }
    for (const entry of left) this.returned.push(entry)
    this.discarded = 0
  }
}
