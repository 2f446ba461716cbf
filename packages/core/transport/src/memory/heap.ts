/** A binary heap: the item that goes before all others is taken first. */
export class Heap<Item> {
  private items: Item[] = []
  private readonly goesBefore: (a: Item, b: Item) => boolean

  constructor(goesBefore: (a: Item, b: Item) => boolean) {
    this.goesBefore = goesBefore
  }

  get size(): number {
    return this.items.length
  }

  peek(): Item | undefined {
    return this.items[0]
  }

  push(item: Item): void {
    const { items, goesBefore } = this
    let index = items.push(item) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!goesBefore(item, items[parent] as Item)) break
      items[index] = items[parent] as Item
      index = parent
    }
    items[index] = item
  }

  pop(): Item | undefined {
    const { items, goesBefore } = this
    const top = items[0]
    const last = items.pop()
    if (items.length === 0 || last === undefined) return top
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= items.length) break
      if (child + 1 < items.length && goesBefore(items[child + 1] as Item, items[child] as Item)) child++
      if (!goesBefore(items[child] as Item, last)) break
      items[index] = items[child] as Item
      index = child
    }
    items[index] = last
    return top
  }

  /** Keeps only what `wanted` says. */
  filter(wanted: (item: Item) => boolean): void {
    const kept = this.items.filter(wanted)
    this.items = []
    for (const item of kept) this.push(item)
  }

  /** In no order. */
  values(): readonly Item[] {
    return this.items
  }
}
