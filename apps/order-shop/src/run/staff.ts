import type { Transport, TransportEvents } from '@posthorn/transport'

export const countedEvents = ['retried', 'deadLettered', 'leaseLost'] as const
export type CountedEvent = (typeof countedEvents)[number] & keyof TransportEvents

/** All processes of the shop, kept running. */
export interface Staff {
  /** Processes that were started again after a crash. */
  readonly restarts: number
  /** What the services' transports told of: attempts that failed, dead letters, leases lost. */
  readonly events: Readonly<Record<CountedEvent, number>>
  /** Rejects when a process ended that was not made to: the program is at fault. */
  readonly failed: Promise<never>
  /** Resolves when all are up. */
  start(): Promise<void>
  /** Lets handlers end what they have in hand, and answers what had to be cut off. */
  stop(): Promise<CutOff>
}

export interface CutOff {
  /** Handlers that were cut off. */
  readonly unfinished: number
  /** Messages sent without an answer. */
  readonly unconfirmed: number
}

const closeDeadlineMs = 5_000

/** Closes what one process has open. */
export async function closeProcess(transport: Transport): Promise<CutOff> {
  const { unconfirmed, consumers } = await transport.close({ deadlineMs: closeDeadlineMs })
  const unfinished = consumers.reduce((sum, consumer) => sum + consumer.unfinished.length, 0)
  return { unfinished, unconfirmed }
}
