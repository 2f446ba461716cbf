import type { Feature } from '@posthorn/transport'
import type { Bench } from './bench/bench.ts'
import type { FaultName } from './harness.ts'

/** One promise of the contract, as data: the vitest tests, the table of results and the check of the suite itself all read it. */
export interface Behaviour {
  /** Stable: 1 to 40 are the universal contract, the rest what the design promises beyond it; letters are further checks of one. */
  readonly id: string
  /** "Given …, then …": the name of the test. */
  readonly sentence: string
  readonly needs?: Needs
  /** Milliseconds that it may take on a real clock beyond what a test usually may. */
  readonly extraMs?: number
  run(bench: Bench): Promise<void>
}

export interface Needs {
  /** Shown where they are `native` or `emulated`; where one is `unsupported`, asking for it has to be refused. */
  readonly features?: readonly Feature[]
  readonly faults?: readonly FaultName[]
}

/** Behaviours of one area, under a heading. */
export interface Area {
  readonly title: string
  readonly behaviours: readonly Behaviour[]
}

/** Thrown by a behaviour that cannot be shown here, with the reason. */
export class NotShown extends Error {
  override readonly name = 'NotShown'
}

/** Thrown where a behaviour needs a fault that the broker under test has not, with the reason. */
export class CannotBeBroken extends Error {
  override readonly name = 'CannotBeBroken'
}
