import type { Entry, Letter } from './entry.ts'
import type { DeadLetterRecord } from '../contract/dead-letters.ts'

/** The dead letters of one queue by number, oldest first. */
export class Letters {
  private readonly entries = new Map<number, Entry>()
  private last = 0

  get size(): number {
    return this.entries.size
  }

  /** The number of the newest, also when that is gone. */
  get newest(): number {
    return this.last
  }

  next(record: DeadLetterRecord): Letter {
    return { number: ++this.last, record }
  }

  get(number: number): Entry | undefined {
    return this.entries.get(number)
  }

  /** Adds one, or puts it in the place of the one with its number. */
  set(entry: Entry): void {
    this.entries.set((entry.letter as Letter).number, entry)
  }

  remove(letter: Letter): void {
    this.entries.delete(letter.number)
  }

  /** Goes on with what is added or removed meanwhile. */
  [Symbol.iterator](): Iterator<Entry> {
    return this.entries.values()
  }
}
