import type { MetricSeries } from './family.ts'
import type { Metrics } from './metrics.ts'

/** A registry of `@prometheus-io/client` or of prom-client, as far as it is needed here. */
export interface PrometheusRegistry {
  // What it takes is a class of the client's own, of which it only reads these fields.
  registerMetric(metric: never): void
}

interface RegisteredMetric {
  name: string
  readonly help: string
  readonly type: string
  readonly aggregator: 'sum'
  get(): Promise<object>
  reset(): void
}

interface Value {
  readonly metricName?: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Adds all metrics to a registry, which exports them with whatever else it has. They are read when it is. */
export function registerInto(registry: PrometheusRegistry, metrics: Metrics): void {
  const register = registry.registerMetric.bind(registry) as (metric: RegisteredMetric) => void
  for (const { name, help, type, read } of metrics.families) {
    const registered: RegisteredMetric = {
      name,
      help,
      type,
      aggregator: 'sum',
      get() {
        // The registry renames counters for OpenMetrics.
        const shown = { name: registered.name, help, type, aggregator: 'sum' }
        return Promise.resolve({ ...shown, values: valuesOf(name, read()) })
      },
      // Not its own to reset.
      reset() {},
    }
    register(registered)
  }
}

function valuesOf(name: string, series: readonly MetricSeries[]): readonly Value[] {
  return series.flatMap((one) => (one.histogram === undefined ? [{ ...one }] : bucketsOf(name, one)))
}

/** As Prometheus has it: each bucket holds all that is not above its bound. */
function bucketsOf(name: string, { labels, value, histogram }: MetricSeries): readonly Value[] {
  const { bounds = [], counts = [], count = 0 } = histogram ?? {}
  let upTo = 0
  const buckets = counts.map((inBucket, index): Value => {
    upTo += inBucket
    const le = bounds[index] === undefined ? '+Inf' : String(bounds[index])
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: upTo }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
