import type { Entry } from './entry.ts'

/** What a session holds, in the order in which its leases end. */
export class HeldList {
  size = 0
  first: Entry | undefined = undefined
  private last: Entry | undefined = undefined

  push(entry: Entry): void {
    entry.previous = this.last
    if (this.last === undefined) this.first = entry
    else this.last.next = entry
    this.last = entry
    this.size++
  }

  remove(entry: Entry): void {
    if (entry.previous === undefined) this.first = entry.next
    else entry.previous.next = entry.next
    if (entry.next === undefined) this.last = entry.previous
    else entry.next.previous = entry.previous
    // A settled one that pointed to newer ones would keep them alive until the next full collection.
    entry.previous = undefined
    entry.next = undefined
    this.size--
  }

  *[Symbol.iterator](): Generator<Entry> {
    for (let entry = this.first; entry !== undefined; entry = entry.next) yield entry
  }
}
