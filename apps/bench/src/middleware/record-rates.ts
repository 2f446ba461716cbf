import { median } from '../median.ts'
import { medianRatio } from '../median-ratio.ts'
import { recordClients, type Database, type RecordClientName } from './record-client.ts'
import type { FlowTime } from '../flow.ts'
import type { Goal } from '../goal.ts'

export interface RecordRates {
  /** What, records a second, ours to that, the same by processor time, rounds. */
  readonly rows: readonly (readonly string[])[]
  readonly goals: readonly Goal[]
}

/** How many records a second idempotency makes in a database, beside the bare client. */
export function recordRates(
  database: Database,
  records: number,
  times: Readonly<Record<RecordClientName, readonly FlowTime[]>>,
): RecordRates {
  const rates = (name: RecordClientName, of: keyof FlowTime): number[] =>
    times[name].map((time) => records / time[of])
  const ratio = (name: RecordClientName, of: keyof FlowTime): number =>
    medianRatio(rates('posthorn', of), rates(name, of))
  return {
    rows: recordClients.map((name) => [
      `${database}: ${name === 'posthorn' ? 'idempotency()' : `bare, ${name}`}`,
      `${Math.round(median(rates(name, 'wall'))).toLocaleString('en')}/s`,
      name === 'posthorn' ? '' : `${ratio(name, 'wall').toFixed(2)} x`,
      name === 'posthorn' ? '' : `${ratio(name, 'processor').toFixed(2)} x`,
      String(times[name].length),
    ]),
    goals: [
      {
        name: `middleware.${database}`,
        measured: ratio('same commands', 'wall'),
        wanted: 0.8,
        unit: 'x',
        kind: 'atLeast',
      },
    ],
  }
}
