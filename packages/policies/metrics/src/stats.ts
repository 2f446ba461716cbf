import { Histogram } from './histogram.ts'
import type { Counter } from './counter.ts'
import type { Labelled } from './labelled.ts'
import type { Meters } from './meters.ts'

/** All that was counted since the metrics were made, of all sources and destinations together. */
export interface MetricsStats {
  /** Messages that the broker confirmed. */
  readonly sent: number
  /** Messages that were rejected, or whose outcome is unknown. */
  readonly sendFailed: number
  /** Attempts that began. */
  readonly received: number
  /** Attempts that ended in an ack. */
  readonly handled: number
  /** Attempts that were acked with nothing done, since it had been done before. */
  readonly repeated: number
  /** Attempts that threw or asked for a retry. */
  readonly failed: number
  /** Attempts that gave their message back. */
  readonly released: number
  /** Attempts that have begun and not ended. */
  readonly inFlight: number
  /** With `watch`: messages that became dead letters. */
  readonly deadLettered: number
  readonly processing: DurationStats
  readonly latency: DurationStats
}

/** Milliseconds; quantiles are the bounds of the buckets that they fall into, `undefined` without observations. */
export interface DurationStats {
  readonly count: number
  readonly meanMs: number | undefined
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
}

export function readStats(meters: Meters): MetricsStats {
  const { sent, handled } = meters
  return {
    sent: total(sent, 'confirmed'),
    sendFailed: total(sent, 'rejected') + total(sent, 'unknown'),
    received: total(meters.received),
    handled: total(handled, 'ack'),
    repeated: total(handled, 'repeated'),
    failed: total(handled, 'retry'),
    released: total(handled, 'release'),
    inFlight: total(meters.running),
    deadLettered: total(meters.deadLetters),
    processing: durations(meters.processingSeconds),
    latency: durations(meters.latencySeconds),
  }
}

function total(counters: Labelled<Counter>, outcome?: string): number {
  let sum = 0
  for (const [labels, { value }] of counters.entries()) {
    if (outcome === undefined || labels['outcome'] === outcome) sum += value
  }
  return sum
}

function durations(histograms: Labelled<Histogram>): DurationStats {
  const all = new Histogram()
  for (const [, histogram] of histograms.entries()) all.add(histogram)
  const inMs = (seconds: number | undefined): number | undefined =>
    seconds === undefined ? undefined : seconds * 1_000
  return {
    count: all.count,
    meanMs: inMs(all.mean),
    p50Ms: inMs(all.quantile(0.5)),
    p99Ms: inMs(all.quantile(0.99)),
  }
}
