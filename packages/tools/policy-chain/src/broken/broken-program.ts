import type { Program } from '../explore.ts'

/** A chain with one mistake in it, and what the exploration says of it. */
export interface BrokenProgram extends Program {
  readonly name: string
  readonly caughtAs: RegExp
}
