import type { MetricFamily } from './family.ts'
import type { RunWatched } from './run-watched.ts'
import type { MetricsStats } from './stats.ts'
import type { ObservedBreaker } from './watch-breakers.ts'
import type { WatchOptions } from './watch-transport.ts'
import type { Clock, Middleware, PublishMiddleware, Transport } from '@posthorn/transport'

export interface MetricsOptions {
  /**
   * Series at most, a histogram counted as one; what comes later is counted under the label `other`. Whole number from
   * 90. Default 200.
   */
  readonly maxSeries?: number
  /** Of `run`; consumers and senders have their transport's. Default: the system's. */
  readonly clock?: Clock
}

/** What one process counts of its messages. Memory is bounded by the number of series, whatever passes by. */
export interface Metrics {
  /** For `use` of consumers, subscriptions and workers. */
  readonly use: Middleware
  /** For `publishUse` of transports. */
  readonly publishUse: PublishMiddleware
  /** The same around anything else, such as the handler of another library. */
  readonly run: RunWatched
  /**
   * Counts the transport's events and polls depths. Answers how to stop; closing the transport stops it, too.
   */
  watch(transport: Transport, options?: WatchOptions): () => void
  /** Shows a circuit breaker's state and counts. One of a name. */
  watchBreaker(breaker: ObservedBreaker): void
  getStats(): MetricsStats
  /** All metrics, for an exporter. Always the same ones; their series come and go. */
  readonly families: readonly MetricFamily[]
}
