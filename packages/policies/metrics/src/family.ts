/** One metric with all its series: what the doors show. */
export interface MetricFamily {
  /** As Prometheus names it: base unit and `_total` included. */
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** All series as they are now, as data. */
  readonly read: () => readonly MetricSeries[]
}

export type MetricLabels = Readonly<Record<string, string>>

export interface MetricSeries {
  readonly labels: MetricLabels
  /** A counter's or gauge's value; of a histogram, the sum of what was observed. */
  readonly value: number
  readonly histogram: HistogramReading | undefined
}

export interface HistogramReading {
  /** Upper bounds, rising; the last bucket has none. */
  readonly bounds: readonly number[]
  /** Observations of each bucket alone, one more than there are bounds. */
  readonly counts: readonly number[]
  readonly count: number
}
