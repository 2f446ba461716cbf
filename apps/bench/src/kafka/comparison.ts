import { standing, type Figure } from '../contest/figures.ts'
import type { Series } from '../contest/rounds.ts'
import type { Goal } from '../goal.ts'
import type { ClientName } from './bench-client.ts'

export interface Comparison {
  readonly rows: readonly (readonly string[])[]
  readonly goals: readonly Goal[]
}

interface Wanted {
  readonly name: string
  readonly series: readonly [kind: string, client: ClientName, figure?: Figure]
  readonly ratio: number
  readonly kind: Goal['kind']
}

const wanted: readonly Wanted[] = [
  { name: 'publish', series: ['publish', 'kafkajs'], ratio: 0.9, kind: 'atLeast' },
  { name: 'consume, eachMessage', series: ['consume', 'kafkajs'], ratio: 1, kind: 'atLeast' },
  { name: 'consume, eachBatch', series: ['consume', 'kafkajs, eachBatch'], ratio: 0.7, kind: 'atLeast' },
  { name: 'handle', series: ['handle', 'kafkajs'], ratio: 12, kind: 'atLeast' },
  { name: 'latency p50', series: ['exchange', 'kafkajs', 'p50'], ratio: 1.2, kind: 'atMost' },
  { name: 'latency p99', series: ['exchange', 'kafkajs', 'p99'], ratio: 1.2, kind: 'atMost' },
]

/** What the clients' figures are beside ours, and whether ours are what they should be, of all that was measured. */
export function comparison(all: readonly Series[]): Comparison {
  const { rows, ratio } = standing(all, 'posthorn', (client, kind) =>
    kind === 'consume' && client === 'kafkajs' ? 'kafkajs, eachMessage' : client,
  )
  const goals = wanted.flatMap(({ name, series, ratio: goal, kind }): Goal[] => {
    const measured = ratio(...series)
    return measured === undefined ? [] : [{ name: `kafka.${name}`, measured, wanted: goal, unit: 'x', kind }]
  })
  return { rows, goals }
}
