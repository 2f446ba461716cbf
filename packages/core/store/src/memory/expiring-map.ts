import { StoreError } from '../store-error.ts'
import { ExpiryQueue, type Expiring } from './expiry-queue.ts'

/** What is kept by key until it expires, up to a bound. */
export class ExpiringMap<Item extends Expiring<Item> & { readonly key: string }> {
  #items = new Map<string, Item>()
  #queue = new ExpiryQueue<Item>()
  readonly #what: string
  readonly #maxItems: number

  /** `what` is the items' name for the error, in plural. */
  constructor(what: string, maxItems: number) {
    this.#what = what
    this.#maxItems = maxItems
  }

  get(key: string, now: number): Item | undefined {
    const item = this.#items.get(key)
    return item !== undefined && item.expiresAt > now ? item : undefined
  }

  values(): IterableIterator<Item> {
    return this.#items.values()
  }

  /** Stores an item in place of whatever has its key. Throws `POSTHORN_STORE_FULL`. */
  set(item: Item, now: number): void {
    const former = this.#items.get(item.key)
    if (former !== undefined) this.remove(former)
    // Two at most for each that comes: so what has expired takes no room for long, and no call pays for many.
    this.sweep(2, now)
    if (this.#items.size >= this.#maxItems) throw storeFull(this.#what, this.#maxItems)
    this.#items.set(item.key, item)
    this.#queue.place(item)
  }

  expireAt(item: Item, time: number): void {
    item.expiresAt = time
    this.#queue.place(item)
  }

  remove(item: Item): void {
    this.#items.delete(item.key)
    this.#queue.remove(item)
  }

  /** Removes up to `limit` expired ones, and answers how many. */
  sweep(limit: number, now: number): number {
    let removed = 0
    while (removed < limit && this.#removeExpired(now)) removed += 1
    return removed
  }

  #removeExpired(now: number): boolean {
    const expired = this.#queue.firstExpired(now)
    if (expired !== undefined) this.remove(expired)
    return expired !== undefined
  }
}

/** Live items are never thrown out for new ones: a claim that is forgotten would be made twice. */
export function storeFull(what: string, max: number): StoreError {
  const text = `The memory store holds ${max} ${what}, which is its bound, and none has expired. Raise it, shorten the retention, or use a database.`
  return new StoreError('POSTHORN_STORE_FULL', text, { retryable: true })
}
