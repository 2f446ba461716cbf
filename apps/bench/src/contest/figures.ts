import { median } from '../median.ts'
import { medianRatio } from '../median-ratio.ts'
import { quantile } from '../quantile.ts'
import type { Series } from './rounds.ts'

/** What is compared: more is better for `perSecond`, less for the others. */
export type Figure = 'perSecond' | 'p50' | 'p99'

interface Figures extends Readonly<Record<Figure | 'perProcessorSecond', readonly number[]>> {
  readonly series: Series
}

export interface Standing {
  /** What, its median, per second of processor time, our ratio to it on the wall and by processor time, rounds. */
  readonly rows: readonly (readonly string[])[]
  /** Ours divided by theirs; `undefined` where one of them was not measured. */
  readonly ratio: (kind: string, client: string, figure?: Figure) => number | undefined
}

/** The kind whose times are shown instead of how many there are in a second. */
const exchange = 'exchange'

/** What the clients' figures are beside those of `ours`. `label` is how a client is shown. */
export function standing(
  all: readonly Series[],
  ours: string,
  label: (client: string, kind: string) => string = (client) => client,
): Standing {
  const figures = all.map(figuresOf)
  const find = (kind: string, client: string): Figures | undefined =>
    figures.find(({ series }) => series.kind === kind && series.client === client)
  return {
    rows: figures.flatMap((one) => {
      const { kind, client } = one.series
      return rowsOf(one, client === ours ? undefined : find(kind, ours), label(client, kind))
    }),
    ratio(kind, client, figure = 'perSecond') {
      const [our, their] = [find(kind, ours), find(kind, client)]
      return our === undefined || their === undefined ? undefined : medianRatio(our[figure], their[figure])
    },
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

function rowsOf(one: Figures, our: Figures | undefined, name: string): readonly (readonly string[])[] {
  const ratio = (figure: Figure | 'perProcessorSecond'): string =>
    our === undefined ? '' : medianRatio(our[figure], one[figure]).toFixed(2)
  const row = (what: string, shown: string, figure: Figure): readonly string[] => [
    `${what}: ${name}`,
    shown,
    Math.round(median(one.perProcessorSecond)).toLocaleString('en'),
    ratio(figure),
    ratio('perProcessorSecond'),
    String(one.series.results.length),
  ]
  const { kind } = one.series
  if (kind !== exchange) {
    return [row(kind, `${Math.round(median(one.perSecond)).toLocaleString('en')}/s`, 'perSecond')]
  }
  return (['p50', 'p99'] as const).map((part) =>
    row(`latency ${part}`, `${median(one[part]).toFixed(2)} ms`, part),
  )
}
