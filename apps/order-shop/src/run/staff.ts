import type { Metrics } from '@posthorn/metrics'
import type { Transport } from '@posthorn/transport'
import { processes } from '../services/processes.ts'
import type { Outside } from '../outside/outside.ts'

const transportEvents = ['retried', 'deadLettered', 'leaseLost'] as const
export type CountedEvent = (typeof transportEvents)[number] | 'breakerOpened'

/** All processes of the shop, kept running. */
export interface Staff {
  /** Processes that were started again after a crash. */
  readonly restarts: number
  /** What the services told of: attempts that failed, dead letters, leases lost, a breaker that opened. */
  readonly events: Readonly<Record<CountedEvent, number>>
  /** Rejects when a process ended that was not made to: the program is at fault. */
  readonly failed: Promise<never>
  /** Resolves when all are up, with where their metrics are to be seen. */
  start(): Promise<readonly MetricsAddress[]>
  /** Lets handlers end what they have in hand, and answers what had to be cut off. */
  stop(): Promise<CutOff>
}

export interface MetricsAddress {
  /** Whose, when not everybody's. */
  readonly process: string | undefined
  readonly url: string
}

export interface CutOff {
  /** Handlers that were cut off. */
  readonly unfinished: number
  /** Messages sent without an answer. */
  readonly unconfirmed: number
}

const closeDeadlineMs = 5_000
const pollMs = 500

export function createEventCounts(): Record<CountedEvent, number> {
  return { retried: 0, deadLettered: 0, leaseLost: 0, breakerOpened: 0 }
}

export interface ProcessParts {
  readonly transport: Transport
  readonly metrics: Metrics
  readonly outside: Outside
  readonly onEvent: (event: CountedEvent) => void
}

/** Starts one process of the shop, real or not; answers how to close what it has open. */
export async function startProcess(name: string, parts: ProcessParts): Promise<() => Promise<CutOff>> {
  const { transport, metrics, outside, onEvent } = parts
  for (const event of transportEvents) transport.on(event, () => onEvent(event))
  metrics.watch(transport, { name, pollMs })
  const service = await processes.get(name)?.({ transport, metrics, log: onEvent }, outside)
  return async () => {
    const stopped = await service?.stop({ deadlineMs: closeDeadlineMs })
    const { unconfirmed } = await transport.close({ deadlineMs: closeDeadlineMs })
    return { unfinished: stopped?.unfinished.length ?? 0, unconfirmed }
  }
}
