import { readDepths } from './depths.ts'
import { sleep } from './run-parts.ts'
import type { RunParts } from './run-parts.ts'
import type { Transport } from '@posthorn/transport'

const lookEveryMs = 50

/**
 * Resolves when the shop has had nothing to do for `idleMs`, or `signal` aborts. What is in a handler's hands not every
 * broker counts, so nothing may have been done meanwhile, either.
 */
export async function untilIdle(
  transport: Transport,
  { clock, signal, idleMs, ledger, charges }: RunParts,
): Promise<void> {
  let idleSince: number | undefined
  let done = -1
  while (!signal.aborted && (idleSince === undefined || clock.now() - idleSince < idleMs)) {
    await sleep(clock, lookEveryMs)
    const depths = await readDepths(transport)
    const { waiting } = await charges.store.outbox.depth()
    const isEmpty = waiting === 0 && Object.values(depths).every((count) => count === 0)
    const idle = isEmpty && ledger.size === done
    done = ledger.size
    idleSince = idle ? (idleSince ?? clock.now()) : undefined
  }
}
