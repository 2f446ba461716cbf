import type { DeadLetter } from '@posthorn/transport'
import type { AppliedFault } from './fault-plan.ts'
import type { Journal } from './journal.ts'

/** What a run left behind. */
export interface Evidence {
  readonly journal: Journal
  readonly faults: readonly AppliedFault[]
  readonly deadLetters: readonly DeadLetter[]
}
