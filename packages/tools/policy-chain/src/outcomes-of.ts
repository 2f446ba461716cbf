import type { Metrics } from '@posthorn/metrics'

/** What metrics say of how attempts ended, of all sources together. */
export interface Outcomes {
  readonly ack: number
  readonly retry: number
  readonly release: number
  readonly deadLetter: number
}

export function outcomesOf({ families }: Metrics): Outcomes {
  const counts = new Map<string, number>()
  for (const { name, read } of families) {
    if (name !== 'posthorn_messages_handled_total') continue
    for (const { labels, value } of read()) {
      const outcome = labels['outcome'] ?? ''
      counts.set(outcome, (counts.get(outcome) ?? 0) + value)
    }
  }
  const of = (outcome: string): number => counts.get(outcome) ?? 0
  return {
    ack: of('ack') + of('repeated'),
    retry: of('retry'),
    release: of('release'),
    deadLetter: of('dead_letter'),
  }
}
