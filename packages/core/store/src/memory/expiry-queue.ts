/** Something that is there until its time; `Infinity` is for ever. */
export interface Expiring {
  expiresAt: number
  /** Its place in the queue, which only the queue changes. */
  queuePosition: number
}

/** Finds what has expired without looking at what has not: a binary heap whose items know their places. */
export class ExpiryQueue<Item extends Expiring> {
  #items: Item[] = []

  /** Puts a new item where it belongs, or one whose time has changed. */
  place(item: Item): void {
    if (this.#items[item.queuePosition] !== item) item.queuePosition = this.#items.push(item) - 1
    this.#rise(item)
    this.#sink(item)
  }

  remove(item: Item): void {
    const last = this.#items.pop()
    if (last === undefined || last === item) return
    last.queuePosition = item.queuePosition
    this.#items[last.queuePosition] = last
    this.place(last)
  }

  /** The first whose time has come. It stays in the queue. */
  firstExpired(now: number): Item | undefined {
    const first = this.#items[0]
    return first !== undefined && first.expiresAt <= now ? first : undefined
  }

  #rise(item: Item): void {
    for (;;) {
      const parent = this.#items[(item.queuePosition - 1) >> 1]
      if (parent === undefined || parent.expiresAt <= item.expiresAt) return
      this.#swap(item, parent)
    }
  }

  #sink(item: Item): void {
    for (;;) {
      const left = this.#items[2 * item.queuePosition + 1]
      const right = this.#items[2 * item.queuePosition + 2]
      const child =
        right !== undefined && left !== undefined && right.expiresAt < left.expiresAt ? right : left
      if (child === undefined || child.expiresAt >= item.expiresAt) return
      this.#swap(child, item)
    }
  }

  /** Of a child and its parent. */
  #swap(child: Item, parent: Item): void {
    const position = child.queuePosition
    child.queuePosition = parent.queuePosition
    parent.queuePosition = position
    this.#items[child.queuePosition] = child
    this.#items[parent.queuePosition] = parent
  }
}
