import type { MemoryVariant } from '../memory-harness.ts'

/** A variant that breaks a promise, and the behaviours that must notice. */
export interface Mutant {
  readonly name: string
  /** Each of them has to fail. */
  readonly caughtBy: readonly string[]
  /** Made anew for each broker. */
  create(): MemoryVariant
}
