import { median } from '../median.ts'
import { medianRatio } from '../median-ratio.ts'
import { quantile } from '../quantile.ts'
import type { Goal } from '../goal.ts'
import type { ClientName } from './bench-client.ts'
import type { Series } from './rounds.ts'

export interface Comparison {
  /** What, its median, per second of processor time, our ratio to it on the wall and by processor time, rounds. */
  readonly rows: readonly (readonly string[])[]
  readonly goals: readonly Goal[]
}

/** Figures of all rounds of one series: more is better for `perSecond`, less for the others. */
interface Figures {
  readonly series: Series
  readonly perSecond: readonly number[]
  readonly perProcessorSecond: readonly number[]
  readonly p50: readonly number[]
  readonly p99: readonly number[]
}

const ours = 'posthorn'

/** What the clients' figures are beside ours, and whether ours are what they should be. */
export function comparison(all: readonly Series[]): Comparison {
  const figures = all.map(figuresOf)
  const of = (kind: Series['kind'], client: ClientName): Figures =>
    figures.find(({ series }) => series.kind === kind && series.client === client) as Figures
  const rows = figures.flatMap((one) => rowsOf(one, of(one.series.kind, ours)))
  const published = medianRatio(of('publish', ours).perSecond, of('publish', 'raw, ack each').perSecond)
  const consumed = (raw: ClientName): number =>
    medianRatio(of('consume', ours).perSecond, of('consume', raw).perSecond)
  const latency = (part: 'p50' | 'p99'): number =>
    medianRatio(of('exchange', ours)[part], of('exchange', 'raw, ack each')[part])
  return {
    rows,
    goals: [
      goal('publish', published, 0.9, 'atLeast'),
      goal('consume, raw acks each', consumed('raw, ack each'), 2, 'atLeast'),
      goal('consume, raw acks by 50', consumed('raw, acks by 50'), 0.8, 'atLeast'),
      goal('latency p50', latency('p50'), 1.2, 'atMost'),
      goal('latency p99', latency('p99'), 1.2, 'atMost'),
    ],
  }
}

function figuresOf(series: Series): Figures {
  const { messages, results } = series
  return {
    series,
    perSecond: results.map(({ wall }) => messages / wall),
    perProcessorSecond: results.map(({ processor }) => messages / processor),
    p50: results.map(({ times }) => quantile(times, 0.5)),
    p99: results.map(({ times }) => quantile(times, 0.99)),
  }
}

/** The ratios are ours to this one's. */
function rowsOf(one: Figures, our: Figures): readonly (readonly string[])[] {
  const { kind, client } = one.series
  const name = kind === 'consume' || client === 'rascal' || client === ours ? client : 'raw amqplib'
  const processor = medianRatio(our.perProcessorSecond, one.perProcessorSecond)
  const row = (what: string, shown: string, figures: keyof Omit<Figures, 'series'>): readonly string[] => [
    `${what}: ${name}`,
    shown,
    Math.round(median(one.perProcessorSecond)).toLocaleString('en'),
    client === ours ? '' : medianRatio(our[figures], one[figures]).toFixed(2),
    client === ours ? '' : processor.toFixed(2),
    String(one.series.results.length),
  ]
  if (kind !== 'exchange') {
    return [row(kind, `${Math.round(median(one.perSecond)).toLocaleString('en')}/s`, 'perSecond')]
  }
  return (['p50', 'p99'] as const).map((part) =>
    row(`latency ${part}`, `${median(one[part]).toFixed(2)} ms`, part),
  )
}

function goal(name: string, measured: number, wanted: number, kind: Goal['kind']): Goal {
  return { name: `rabbitmq.${name}`, measured, wanted, unit: 'x', kind }
}
