const chunkSize = 1024

interface Chunk<Item> {
  readonly items: (Item | undefined)[]
  next: Chunk<Item> | undefined
}

/** First in, first out, in chunks that go as they are used up: millions of items need no copying and leave no room behind. */
export class ChunkedQueue<Item> {
  length = 0
  private first: Chunk<Item> = createChunk()
  private last: Chunk<Item> = this.first
  private head = 0
  private tail = 0
  /** One empty chunk is kept, or a queue that is short for long would make them again and again. */
  private spare: Chunk<Item> | undefined = undefined

  push(item: Item): void {
    if (this.tail === chunkSize) {
      const chunk: Chunk<Item> = this.spare ?? createChunk()
      this.spare = undefined
      this.last.next = chunk
      this.last = chunk
      this.tail = 0
    }
    this.last.items[this.tail++] = item
    this.length++
  }

  shift(): Item | undefined {
    if (this.length === 0) return undefined
    const { items } = this.first
    const item = items[this.head]
    items[this.head++] = undefined
    this.length--
    if (this.length === 0) {
      this.head = 0
      this.tail = 0
    } else if (this.head === chunkSize) this.dropFirst()
    return item
  }

  *[Symbol.iterator](): Generator<Item> {
    let chunk: Chunk<Item> | undefined = this.first
    for (let at = this.head, left = this.length; left > 0 && chunk !== undefined; left--, at++) {
      if (at === chunkSize) {
        chunk = chunk.next
        at = 0
      }
      yield chunk?.items[at] as Item
    }
  }

  private dropFirst(): void {
    const chunk = this.first
    this.first = chunk.next as Chunk<Item>
    // An old chunk that pointed to a young one would keep it alive until the next full collection.
    chunk.next = undefined
    this.spare = chunk
    this.head = 0
  }
}

function createChunk<Item>(): Chunk<Item> {
  return { items: new Array<Item | undefined>(chunkSize).fill(undefined), next: undefined }
}
