import { readDepths } from './depths.ts'
import { sleep } from './run-parts.ts'
import type { RunParts } from './run-parts.ts'
import type { Transport } from '@posthorn/transport'

const lookEveryMs = 50

/** Resolves when the shop has had nothing to do for `idleMs`, or `signal` aborts. */
export async function untilIdle(transport: Transport, { clock, signal, idleMs }: RunParts): Promise<void> {
  let idleSince: number | undefined
  while (!signal.aborted && (idleSince === undefined || clock.now() - idleSince < idleMs)) {
    await sleep(clock, lookEveryMs)
    const depths = await readDepths(transport)
    const idle = Object.values(depths).every((count) => count === 0)
    idleSince = idle ? (idleSince ?? clock.now()) : undefined
  }
}
