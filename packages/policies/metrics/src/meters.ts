import { Counter } from './counter.ts'
import { Histogram } from './histogram.ts'
import { Labelled, other } from './labelled.ts'
import type { MetricFamily, MetricLabels } from './family.ts'
import { SeriesBudget } from './series-budget.ts'

/** All that is counted, each under its name. */
export class Meters {
  readonly families: MetricFamily[] = []
  readonly budget: SeriesBudget

  readonly sent: Labelled<Counter>
  readonly sendSeconds: Labelled<Histogram>
  readonly received: Labelled<Counter>
  readonly handled: Labelled<Counter>
  readonly running: Labelled<Counter>
  readonly latencySeconds: Labelled<Histogram>
  readonly processingSeconds: Labelled<Histogram>
  readonly attempts: Labelled<Counter>
  readonly redelivered: Labelled<Counter>
  readonly happened: Labelled<Counter>
  readonly deadLetters: Labelled<Counter>
  readonly up: Labelled<Counter>
  readonly connectionChanges: Labelled<Counter>
  readonly depth: Labelled<Counter>
  readonly oldestAgeSeconds: Labelled<Counter>
  readonly lag: Labelled<Counter>
  readonly pollFailures: Labelled<Counter>

  constructor(maxSeries: number) {
    this.budget = new SeriesBudget(maxSeries - othersAtMost)
    this.sent = this.counter('messages_sent_total', 'Messages sent or published, by their outcome.', [
      'destination',
      'outcome',
    ])
    this.sendSeconds = this.histogram('send_seconds', 'From a send to its outcome.', ['destination'])
    this.received = this.counter('messages_received_total', 'Attempts that began.', ['source'])
    this.handled = this.counter('messages_handled_total', 'Attempts that ended, by their outcome.', [
      'source',
      'outcome',
    ])
    this.running = this.gauge('handlers_running', 'Attempts that have begun and not ended.', ['source'])
    this.latencySeconds = this.histogram(
      'latency_seconds',
      'From when its sender wanted it handled to handled at the first attempt; skew between the clocks of the two included.',
      ['source'],
    )
    this.processingSeconds = this.histogram(
      'processing_seconds',
      'From the begin of an attempt to its end, successful ones only.',
      ['source'],
    )
    this.attempts = this.counter('attempts_repeated_total', 'Attempts that were not the first.', ['source'])
    this.redelivered = this.counter('messages_redelivered_total', 'Attempts on what was handed out before.', [
      'source',
    ])
    this.happened = this.counter('events_total', 'What no handler sees, by the name of its event.', [
      'source',
      'event',
    ])
    this.deadLetters = this.counter('dead_letters_total', 'Messages that became dead letters, and why.', [
      'source',
      'reason',
    ])
    this.up = this.gauge('up', '1 while connected and able to send, else 0.', ['transport'])
    this.connectionChanges = this.counter(
      'connection_changes_total',
      'Changes of the connection, by state.',
      ['transport', 'state'],
    )
    this.depth = this.gauge('queue_messages', 'Messages at a source, by state.', ['source', 'state'])
    this.oldestAgeSeconds = this.gauge('queue_oldest_age_seconds', 'Age of the oldest ready message.', [
      'source',
    ])
    this.lag = this.gauge('consumer_lag_messages', 'Messages of a log behind the position of its group.', [
      'source',
    ])
    this.pollFailures = this.counter('poll_failures_total', 'Sources whose depth could not be read.', [
      'source',
    ])
  }

  private counter(name: string, help: string, labels: readonly string[]): Labelled<Counter> {
    return this.numbers('counter', name, help, labels)
  }

  private gauge(name: string, help: string, labels: readonly string[]): Labelled<Counter> {
    return this.numbers('gauge', name, help, labels)
  }

  private numbers(
    type: 'counter' | 'gauge',
    name: string,
    help: string,
    labels: readonly string[],
  ): Labelled<Counter> {
    const labelled = new Labelled(labels, this.budget, () => new Counter())
    // What differs in each source cannot be put together: a gauge without room is not shown.
    const shown = (given: MetricLabels): boolean => type === 'counter' || Object.values(given)[0] !== other
    this.families.push({
      name: metricPrefix + name,
      help,
      type,
      read: () =>
        [...labelled.entries()]
          .filter(([given]) => shown(given))
          .map(([given, { value }]) => ({ labels: given, value, histogram: undefined })),
    })
    return labelled
  }

  private histogram(name: string, help: string, labels: readonly string[]): Labelled<Histogram> {
    const labelled = new Labelled(labels, this.budget, () => new Histogram())
    this.families.push({
      name: metricPrefix + name,
      help,
      type: 'histogram',
      read: () =>
        [...labelled.entries()].map(([given, histogram]) => ({
          labels: given,
          value: histogram.sum,
          histogram: histogram.read(),
        })),
    })
    return labelled
  }
}

export const metricPrefix = 'posthorn_'

/** Series of what there is no room for: one for each combination of the labels with few values. */
export const othersAtMost = 45
