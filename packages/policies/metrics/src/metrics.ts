import type { MetricFamily } from './family.ts'
import type { MetricsStats } from './stats.ts'
import type { WatchOptions } from './watch-transport.ts'
import type { Middleware, PublishMiddleware, Transport } from '@posthorn/transport'

export interface MetricsOptions {
  /**
   * Series at most, a histogram counted as one; what comes later is counted under the label `other`. Whole number from
   * 90. Default 200.
   */
  readonly maxSeries?: number
}

/** What one process counts of its messages. Memory is bounded by the number of series, whatever passes by. */
export interface Metrics {
  /** For `use` of consumers, subscriptions and workers. */
  readonly use: Middleware
  /** For `publishUse` of transports. */
  readonly publishUse: PublishMiddleware
  /**
   * Counts the transport's events and polls depths. Answers how to stop; closing the transport stops it, too.
   */
  watch(transport: Transport, options?: WatchOptions): () => void
  /** Shows the state of a circuit breaker: 0 is closed, 0.5 half open, 1 open. */
  watchBreaker(breaker: ObservedBreaker): void
  getStats(): MetricsStats
  /** All series as data, for an exporter. */
  read(): readonly MetricFamily[]
}

/** A circuit breaker, as far as metrics look at it. */
export interface ObservedBreaker {
  readonly name: string
  readonly state: string
}
