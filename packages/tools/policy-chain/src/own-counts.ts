import type { Middleware, Settlement } from '@posthorn/transport'

/** What one process counts by itself, to be held against its metrics. */
export class OwnCounts {
  received = 0
  readonly ended: Record<Settlement['verb'], number> = { ack: 0, retry: 0, release: 0, deadLetter: 0 }
}

/** Counts what passes, beside the metrics. */
export function counted(own: OwnCounts): Middleware {
  return {
    name: 'counted',
    phase: 'observe',
    wrap: (next) => async (message, context) => {
      own.received += 1
      const settlement = await next(message, context)
      own.ended[settlement.verb] += 1
      return settlement
    },
  }
}
