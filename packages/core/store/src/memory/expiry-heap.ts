export interface HeapItem {
  expiresAt: number
  /** Its place in the heap, which only the heap changes. */
  heapPosition: number
}

/** A binary heap whose items know their places; the first one expires first. */
export class ExpiryHeap<Item extends HeapItem> {
  #items: Item[] = []

  /** Puts a new item where it belongs, or one whose time has changed. */
  place(item: Item): void {
    if (this.#items[item.heapPosition] !== item) item.heapPosition = this.#items.push(item) - 1
    this.#rise(item)
    this.#sink(item)
  }

  remove(item: Item): void {
    const last = this.#items.pop()
    if (last === undefined || last === item) return
    last.heapPosition = item.heapPosition
    this.#items[last.heapPosition] = last
    this.place(last)
  }

  get first(): Item | undefined {
    return this.#items[0]
  }

  #rise(item: Item): void {
    for (;;) {
      const parent = this.#items[(item.heapPosition - 1) >> 1]
      if (parent === undefined || parent.expiresAt <= item.expiresAt) return
      this.#swap(item, parent)
    }
  }

  #sink(item: Item): void {
    for (;;) {
      const left = this.#items[2 * item.heapPosition + 1]
      const right = this.#items[2 * item.heapPosition + 2]
      const child =
        right !== undefined && left !== undefined && right.expiresAt < left.expiresAt ? right : left
      if (child === undefined || child.expiresAt >= item.expiresAt) return
      this.#swap(child, item)
    }
  }

  /** Of a child and its parent. */
  #swap(child: Item, parent: Item): void {
    const position = child.heapPosition
    child.heapPosition = parent.heapPosition
    parent.heapPosition = position
    this.#items[child.heapPosition] = child
    this.#items[parent.heapPosition] = parent
  }
}
