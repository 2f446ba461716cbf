import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@posthorn/transport'
import { createClaims } from '../faults/claims.ts'
import { createTrouble } from '../faults/trouble.ts'
import type { FaultPlan } from '../faults/fault-plan.ts'
import type { Striker } from '../faults/trouble.ts'
import { createLedger } from '../outside/ledger.ts'
import type { Ledger } from '../outside/ledger.ts'
import type { Life } from '../outside/life.ts'
import { createOutside, effectFolders } from '../outside/outside.ts'
import type { Outside } from '../outside/outside.ts'
import type { RealWork } from '../outside/real-work.ts'

/** What one version of the shop gets to run with. */
export interface RunParts {
  readonly lines: readonly string[]
  readonly clock: Clock
  readonly ledger: Ledger
  /** A new line is handed over each so many milliseconds. */
  readonly paceMs: number
  /** For how long the broker's numbers must say that nothing is left: not every broker counts at once. */
  readonly idleMs: number
  /** Aborts when the run is to end early. */
  readonly signal: AbortSignal
  /** Told how many lines have been handed over. */
  readonly onLine: (count: number) => void
  /** The world as a process sees it. */
  outside(life: Life): Outside
}

export interface WorldOptions extends Pick<
  RunParts,
  'lines' | 'clock' | 'paceMs' | 'idleMs' | 'signal' | 'onLine'
> {
  readonly folder: string
  readonly pictures: string
  readonly plan: FaultPlan
  readonly striker: Striker
  readonly realWork: RealWork
}

/** Makes the folders, and the world in which one version of the shop runs. */
export async function prepareRun(options: WorldOptions): Promise<RunParts> {
  const { folder, pictures, plan, striker, realWork, clock, ...rest } = options
  for (const name of effectFolders) await mkdir(join(folder, name), { recursive: true })
  const ledger = createLedger(join(folder, 'ledger.jsonl'), clock)
  const trouble = createTrouble(plan, striker, createClaims())
  const stage = { folder, pictures, clock, ledger, trouble, realWork }
  return { ...rest, clock, ledger, outside: (life) => createOutside(stage, life) }
}

export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimer(resolve, ms))
}
