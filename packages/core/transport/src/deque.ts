/** A queue in a ring that grows and shrinks with its content. */
export class Deque<Item> {
  private items: (Item | undefined)[] = new Array<Item | undefined>(16)
  private head = 0
  private count = 0

  get length(): number {
    return this.count
  }

  push(item: Item): void {
    if (this.count === this.items.length) this.resize(this.count * 2)
    this.items[(this.head + this.count) & (this.items.length - 1)] = item
    this.count++
  }

  shift(): Item | undefined {
    if (this.count === 0) return undefined
    const item = this.items[this.head]
    this.items[this.head] = undefined
    this.head = (this.head + 1) & (this.items.length - 1)
    this.count--
    if (this.items.length > 1024 && this.count < this.items.length >> 2) this.resize(this.items.length >> 1)
    return item
  }

  peek(): Item | undefined {
    return this.count === 0 ? undefined : this.items[this.head]
  }

  /** Takes everything out, in order. */
  drain(): Item[] {
    const all: Item[] = []
    for (let item = this.shift(); item !== undefined; item = this.shift()) all.push(item)
    return all
  }

  private resize(capacity: number): void {
    const items = new Array<Item | undefined>(capacity)
    for (let index = 0; index < this.count; index++) {
      items[index] = this.items[(this.head + index) & (this.items.length - 1)]
    }
    this.items = items
    this.head = 0
  }
}
