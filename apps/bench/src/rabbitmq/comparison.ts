import { standing, type Figure } from '../contest/figures.ts'
import type { Series } from '../contest/rounds.ts'
import type { Goal } from '../goal.ts'
import type { ClientName } from './bench-client.ts'

export interface Comparison {
  readonly rows: readonly (readonly string[])[]
  readonly goals: readonly Goal[]
}

/** What the clients' figures are beside ours, and whether ours are what they should be. */
export function comparison(all: readonly Series[]): Comparison {
  const { rows, ratio } = standing(all, 'posthorn', (client, kind) =>
    // How raw clients ack makes a difference to what is consumed only.
    kind !== 'consume' && client === 'raw, ack each' ? 'raw amqplib' : client,
  )
  const to = (kind: string, client: ClientName, figure?: Figure): number =>
    ratio(kind, client, figure) ?? Number.NaN
  return {
    rows,
    goals: [
      goal('publish', to('publish', 'raw, ack each'), 0.9, 'atLeast'),
      goal('consume, raw acks each', to('consume', 'raw, ack each'), 2, 'atLeast'),
      goal('consume, raw acks by 50', to('consume', 'raw, acks by 50'), 0.8, 'atLeast'),
      goal('latency p50', to('exchange', 'raw, ack each', 'p50'), 1.2, 'atMost'),
      goal('latency p99', to('exchange', 'raw, ack each', 'p99'), 1.2, 'atMost'),
    ],
  }
}

function goal(name: string, measured: number, wanted: number, kind: Goal['kind']): Goal {
  return { name: `rabbitmq.${name}`, measured, wanted, unit: 'x', kind }
}
