import type {
  DueQuery,
  PutAnswer,
  RecordId,
  RecordQuery,
  Records,
  RecordWrite,
  StoredRecord,
} from '../contract/records.ts'
import { ExpiringMap } from './expiring-map.ts'
import type { Expiring } from './expiry-queue.ts'
import type { MemoryOutbox } from './memory-outbox.ts'
import type { MemoryParts } from './memory-parts.ts'

interface Entry extends Expiring<Entry> {
  readonly key: string
  record: StoredRecord
}

export class MemoryRecords implements Records {
  readonly #parts: MemoryParts
  readonly #outbox: MemoryOutbox
  readonly #entries: ExpiringMap<Entry>

  constructor(parts: MemoryParts, outbox: MemoryOutbox) {
    this.#parts = parts
    this.#outbox = outbox
    this.#entries = new ExpiringMap('records', parts.maxRecords)
  }

  async get(ids: readonly RecordId[]): Promise<(StoredRecord | undefined)[]> {
    const now = this.#parts.now()
    return ids.map((id) => this.#entries.get(entryKey(id), now)?.record)
  }

  async put(writes: readonly RecordWrite[]): Promise<PutAnswer[]> {
    const now = this.#parts.now()
    return writes.map((write) => this.#put(write, now))
  }

  #put(write: RecordWrite, now: number): PutAnswer {
    const { collection, key, expectedVersion, value, index, due, expiresInMs = Infinity, outbox = [] } = write
    const known = this.#entries.get(entryKey(write), now)
    if ((known?.record.version ?? 0) !== expectedVersion) return { status: 'conflict' }
    // Refuses before anything is stored.
    this.#outbox.checkRoom(outbox)
    const version = this.#parts.next()
    const dueAt = due === undefined ? undefined : 'at' in due ? due.at : now + due.inMs
    const record = { collection, key, version, value, index, dueAt }
    const expiresAt = now + expiresInMs
    const place = { run: undefined, before: undefined, after: undefined }
    this.#entries.set({ key: entryKey(write), record, expiresAt, ...place }, now)
    this.#outbox.appendNow(outbox)
    return { status: 'stored', version }
  }

  async list({ collection, index, after, limit }: RecordQuery): Promise<StoredRecord[]> {
    return this.#select(
      collection,
      (record) =>
        (index === undefined || record.index === index) &&
        (after === undefined || compareBytes(record.key, after) > 0),
      (a, b) => compareBytes(a.key, b.key),
      limit,
    ).map(({ record }) => record)
  }

  async takeDue({ collection, limit, leaseMs }: DueQuery): Promise<StoredRecord[]> {
    const now = this.#parts.now()
    const due = this.#select(
      collection,
      ({ dueAt }) => dueAt !== undefined && dueAt <= now,
      (a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0),
      limit,
    )
    return due.map((entry) => (entry.record = { ...entry.record, dueAt: now + leaseMs }))
  }

  #select(
    collection: string,
    wanted: (record: StoredRecord) => boolean,
    compare: (a: StoredRecord, b: StoredRecord) => number,
    limit: number,
  ): Entry[] {
    const now = this.#parts.now()
    return [...this.#entries.values()]
      .filter(
        ({ record, expiresAt }) => record.collection === collection && expiresAt > now && wanted(record),
      )
      .toSorted((a, b) => compare(a.record, b.record))
      .slice(0, limit)
  }

  sweep(limit: number): number {
    return this.#entries.sweep(limit, this.#parts.now())
  }
}

/** Names hold no NUL, so no two records have the same. */
function entryKey({ collection, key }: RecordId): string {
  return `${collection}\0${key}`
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
