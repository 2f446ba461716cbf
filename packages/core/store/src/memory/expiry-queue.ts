import { ExpiryHeap, type HeapItem } from './expiry-heap.ts'

/** Something that is there until its time; `Infinity` is for ever. The queue changes all but `expiresAt`. */
export interface Expiring<Item> {
  expiresAt: number
  run: Run<Item> | undefined
  before: Item | undefined
  after: Item | undefined
}

/** Items in the order in which they expire. */
interface Run<Item> extends HeapItem {
  first: Item
  last: Item
}

/** Runs that may grow. Whoever uses a store keeps things for a few durations, and each of these makes a run. */
const maxOpen = 4

/**
 * Finds what has expired without looking at what has not. Most items expire later than those that came before, so they are kept
 * in runs, of which only the first ones are in a heap: an item costs the same however many there are.
 */
export class ExpiryQueue<Item extends Expiring<Item>> {
  readonly #heap = new ExpiryHeap<Run<Item>>()
  #open: Run<Item>[] = []

  /** Puts a new item where it belongs, or one whose time has changed. */
  place(item: Item): void {
    if (item.run !== undefined) this.remove(item)
    const run = this.#fitting(item.expiresAt)
    if (run === undefined) return this.#begin(item)
    item.run = run
    item.before = run.last
    run.last.after = item
    run.last = item
  }

  remove(item: Item): void {
    const { run, before, after } = item
    if (run === undefined) return
    item.run = item.before = item.after = undefined
    if (after !== undefined) after.before = before
    else if (before !== undefined) run.last = before
    if (before !== undefined) before.after = after
    else if (after !== undefined) this.#beginAt(run, after)
    else this.#end(run)
  }

  /** The first whose time has come. It stays in the queue. */
  firstExpired(now: number): Item | undefined {
    const { first } = this.#heap
    return first !== undefined && first.expiresAt <= now ? first.first : undefined
  }

  /** The one that leaves the smallest gap, so that those of a longer duration do not close the run of a shorter one. */
  #fitting(expiresAt: number): Run<Item> | undefined {
    let best: Run<Item> | undefined
    for (const run of this.#open) {
      const { expiresAt: end } = run.last
      if (end <= expiresAt && (best === undefined || end > best.last.expiresAt)) best = run
    }
    return best
  }

  #begin(item: Item): void {
    const run = { first: item, last: item, expiresAt: item.expiresAt, heapPosition: -1 }
    item.run = run
    this.#heap.place(run)
    this.#open.unshift(run)
    if (this.#open.length > maxOpen) this.#open.pop()
  }

  #beginAt(run: Run<Item>, first: Item): void {
    run.first = first
    run.expiresAt = first.expiresAt
    this.#heap.place(run)
  }

  #end(run: Run<Item>): void {
    this.#heap.remove(run)
    this.#open = this.#open.filter((one) => one !== run)
  }
}
