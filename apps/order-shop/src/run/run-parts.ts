import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@posthorn/transport'
import { createClaims } from '../faults/claims.ts'
import type { MetricsAddress } from './staff.ts'
import { createTrouble } from '../faults/trouble.ts'
import type { FaultPlan } from '../faults/fault-plan.ts'
import type { Striker } from '../faults/trouble.ts'
import { openChargeDatabase } from '../outside/charge-database.ts'
import type { ChargeDatabase } from '../outside/charge-database.ts'
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
  readonly charges: ChargeDatabase
  /** Whether the shop front hands this line over twice. */
  isSentTwice(line: string): boolean
  /** A new line is handed over each so many milliseconds. */
  readonly paceMs: number
  /** Where the Posthorn version shows its metrics; `undefined` for nowhere. */
  readonly metricsPort: number | undefined
  /** Told where that is. */
  readonly onMetrics: (addresses: readonly MetricsAddress[]) => void
  /** Whether what ran out of attempts is replayed in the end. */
  readonly replay: boolean
  /** For how long the broker's numbers must say that nothing is left: not every broker counts at once. */
  readonly idleMs: number
  /** Aborts when the run is to end early. */
  readonly signal: AbortSignal
  /** Told how many lines have been handed over. */
  readonly onLine: (count: number) => void
  /** The world as a process sees it. */
  outside(life: Life): Outside
  /** Lifts what has been refused for ever. */
  repair(): void
  /** Ends all that is open; what was done stays. */
  close(): void
}

export interface WorldOptions extends Pick<
  RunParts,
  'lines' | 'clock' | 'paceMs' | 'metricsPort' | 'onMetrics' | 'replay' | 'idleMs' | 'signal' | 'onLine'
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
  const charges = await openChargeDatabase(folder)
  const claims = createClaims(join(folder, 'claims'), clock)
  const trouble = createTrouble({ plan, striker, claims, clock })
  const parts = { folder, pictures, clock, ledger, trouble, realWork, charges }
  return {
    ...rest,
    clock,
    ledger,
    charges,
    isSentTwice: (line) => plan.sentTwice.some((id) => line.includes(`"${id}"`)),
    outside: (life) => createOutside(parts, life),
    repair: () => trouble.repair(),
    close() {
      ledger.close()
      charges.database.close()
    },
  }
}

export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimer(resolve, ms))
}
