import type { StoreBench } from './store-bench.ts'

/** One promise of a store, as data. */
export interface StoreBehaviour {
  /** Stable: a letter for the area, and a number. */
  readonly id: string
  /** "Given …, then …": the name of the test. */
  readonly sentence: string
  /** Shown only where transactions are native; elsewhere `in` has to refuse. */
  readonly needsTransactions?: true
  /** Shown only where the database has a clock of its own. */
  readonly needsOwnClock?: true
  run(bench: StoreBench): Promise<void>
}

export interface StoreArea {
  readonly title: string
  readonly behaviours: readonly StoreBehaviour[]
}
