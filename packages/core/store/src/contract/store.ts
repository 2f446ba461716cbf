import type { Claims } from './claims.ts'
import type { Outbox } from './outbox.ts'
import type { Records } from './records.ts'

/** What can be done by itself, and as a part of a transaction. Rejects with a `StoreError`. */
export interface StoreOperations {
  readonly claims: Claims
  readonly records: Records
  readonly outbox: Outbox
}

/**
 * What policies and patterns keep in a user's own database. It has no connection, timer or cache of its own; whoever made the
 * client closes it.
 */
export interface Store<Transaction = never> extends StoreOperations {
  readonly specificationVersion: 'v1'
  /** The kind of database: `memory`, `redis`, `postgres`, `sqlite`. */
  readonly name: string
  readonly capabilities: StoreCapabilities
  /**
   * The same operations inside of a transaction that the caller has opened, and ends: all of it becomes true when it
   * commits, and nothing when it does not. Throws `POSTHORN_UNSUPPORTED` where the database has none.
   */
  in(transaction: Transaction): StoreOperations
  /** Epoch milliseconds of the database's clock, which is the only one that counts. */
  now(): Promise<number>
  /** Creates what is missing: tables, indexes. May be called by several processes at once, and again. */
  migrate(): Promise<void>
  /**
   * Removes up to `limit` expired claims and as many expired records, and answers how many it removed: repeat it while
   * there are some. Expired ones count as absent, removed or not; this only gives back their room.
   */
  sweep(options: { readonly limit: number }): Promise<number>
}

export type StoreFeature =
  /** `store.in(transaction)`. */
  | 'transactions'
  /** What was answered survives the end of the database's process. */
  | 'durability'

export interface StoreCapability {
  readonly level: 'native' | 'unsupported'
  /** What can be relied on, in a sentence. */
  readonly guarantee?: string
  /** With `unsupported`: what to use instead. */
  readonly alternative?: string
}

export type StoreCapabilities = Readonly<Record<StoreFeature, StoreCapability>>
