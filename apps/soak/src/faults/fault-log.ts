import type { FaultKind } from './fault-plan.ts'

/** A fault as it happened. */
export interface FaultRecord {
  readonly kind: FaultKind
  /** The process that it hit; `server` for all of them. */
  readonly target: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly endedAt: number
}

/**
 * The kind of a fault that hit this process (`undefined`: any), or the server, between two moments; of several, of the one
 * that began last.
 */
export function findFault(
  faults: readonly FaultRecord[],
  process: string | undefined,
  fromMs: number,
  toMs: number,
): FaultKind | undefined {
  return faults
    .filter(
      ({ target, startedAt, endedAt }) =>
        (process === undefined || target === 'server' || target === process) &&
        startedAt <= toMs &&
        endedAt >= fromMs,
    )
    .toSorted((a, b) => b.startedAt - a.startedAt)[0]?.kind
}
