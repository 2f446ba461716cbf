import type { Store } from '@posthorn/store'

/** A transaction of the user's own, as a program would open it with the database's client. */
export interface OpenTransaction<Transaction> {
  /** What `store.in` takes. */
  readonly transaction: Transaction
  readonly commit: () => Promise<void>
  readonly rollback: () => Promise<void>
}

/**
 * One database under test. Each behaviour gets a harness of its own; several may share one database, if each has tables or
 * keys of its own by another prefix.
 */
export interface StoreHarness<Transaction> {
  /** A store as in a process of its own: with a connection of its own, where the database takes several. Migrated. */
  open(): Promise<Store<Transaction>>
  /**
   * Lets so many milliseconds of the database's time pass: by turning its clock, by taking them off every time that is
   * stored, or, if nothing else will do, by waiting.
   */
  pass(durationMs: number): Promise<void>
  /** Where `transactions` are native: opens one, on a connection that no store of `open` uses, if the database takes several. */
  readonly begin?: () => Promise<OpenTransaction<Transaction>>
  /** Called once at the end. Open transactions are ended before. */
  close(): Promise<void>
}

export interface StoreUnderTest<Transaction> {
  /** In titles: `postgres-15`. */
  readonly name: string
  create(): Promise<StoreHarness<Transaction>>
  /** The database runs in this process and has its clock, so that there is no client whose clock could be off. */
  readonly sharesClock?: boolean
  /** Programs that each model behaviour tries. Default: 100. */
  readonly programs?: number
  /** Milliseconds of real time for each test. Default: 60,000. */
  readonly testTimeoutMs?: number
}
