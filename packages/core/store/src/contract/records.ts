import type { OutboxMessage } from './outbox.ts'

/**
 * Texts under a key that change by compare and swap, such as the states of sagas. A record past its expiry is absent.
 * Batches are as in `Claims`.
 */
export interface Records {
  get(ids: readonly RecordId[]): Promise<(StoredRecord | undefined)[]>
  /** Each write stores its record and appends its outbox messages, or does neither. */
  put(writes: readonly RecordWrite[]): Promise<PutAnswer[]>
  /** Of a collection, ordered by key (by its bytes in UTF-8); the next page starts `after` the last key of this one. */
  list(query: RecordQuery): Promise<StoredRecord[]>
  /**
   * Records whose time has come, the earliest first. They are due again when the lease ends, unless a `put` says
   * otherwise; two callers do not get the same one within it. Their version stays, so whoever writes meanwhile wins.
   */
  takeDue(query: DueQuery): Promise<StoredRecord[]>
}

export interface RecordId {
  /** 1 to 512 characters. */
  readonly collection: string
  /** 1 to 512 characters. */
  readonly key: string
}

export interface StoredRecord extends RecordId {
  /** Another one after each write; rises, and never comes back, also when the record was absent in between. */
  readonly version: number
  readonly value: string
  readonly index: string | undefined
  /** Epoch milliseconds of the database's clock. */
  readonly dueAt: number | undefined
}

/** Replaces all of the record: what is left out is gone. */
export interface RecordWrite extends RecordId {
  /** The version that was read; 0 when there must be no such record. */
  readonly expectedVersion: number
  readonly value: string
  /** What `list` can select by, such as a status. 1 to 512 characters. */
  readonly index?: string | undefined
  /** When `takeDue` gives it out: in so many milliseconds, or at a time of the database's clock, as `Store.now` tells it. */
  readonly due?: { readonly inMs: number } | { readonly at: number } | undefined
  /** Milliseconds after which it is absent. Default: never. */
  readonly expiresInMs?: number | undefined
  /** What is to be sent because of this write. */
  readonly outbox?: readonly OutboxMessage[] | undefined
}

export type PutAnswer =
  | { readonly status: 'stored'; readonly version: number }
  /** The record has another version, or is there and should not be. Nothing was stored. */
  | { readonly status: 'conflict' }

export interface RecordQuery {
  readonly collection: string
  readonly index?: string | undefined
  readonly after?: string | undefined
  /** 1 to 1,000. */
  readonly limit: number
}

export interface DueQuery {
  readonly collection: string
  /** 1 to 1,000. */
  readonly limit: number
  readonly leaseMs: number
}
