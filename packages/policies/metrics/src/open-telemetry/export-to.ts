import type { Meter } from '@opentelemetry/api'
import type { Metrics } from '../metrics.ts'

/**
 * Shows counters and gauges of `createMetrics()` through a meter, read whenever it collects. Histograms cannot be handed over
 * in this way; those of the conventions come from `openTelemetry()`.
 */
export function exportTo(meter: Meter, metrics: Metrics): void {
  for (const { name, help, type, read } of metrics.families) {
    if (type === 'histogram') continue
    const description = { description: help }
    const observed =
      type === 'counter'
        ? meter.createObservableCounter(name, description)
        : meter.createObservableGauge(name, description)
    observed.addCallback((result) => {
      for (const { labels, value } of read()) result.observe(value, labels)
    })
  }
}
