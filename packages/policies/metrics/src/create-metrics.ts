import { checkTransport, optionRules, systemClock } from '@posthorn/transport/options'
import { Meters, othersAtMost } from './meters.ts'
import { createRun } from './run-watched.ts'
import { readStats } from './stats.ts'
import { breakerRules, WatchedBreakers } from './watch-breakers.ts'
import { watchHandlers } from './watch-handlers.ts'
import { watchSends } from './watch-sends.ts'
import { watchRules, watchTransport } from './watch-transport.ts'
import type { Metrics, MetricsOptions } from './metrics.ts'

/** Metrics of this process. One for all its transports is enough. */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  optionRules.checkOptions('createMetrics()', options, rules)
  const { maxSeries = 200, clock = systemClock } = options
  const meters = new Meters(maxSeries)
  const breakers = new WatchedBreakers(meters.budget)
  return {
    use: watchHandlers(meters),
    publishUse: watchSends(meters),
    run: createRun(meters, clock),
    watch(transport, watchOptions = {}) {
      checkTransport('watch()', transport)
      optionRules.checkOptions('watch()', watchOptions, watchRules)
      return watchTransport(meters, transport, watchOptions)
    },
    watchBreaker(breaker) {
      optionRules.checkOptions('watchBreaker()', { breaker }, breakerRules)
      breakers.add(breaker)
    },
    getStats: () => readStats(meters),
    families: [...meters.families, ...breakers.families],
  }
}

const rules: Readonly<Record<keyof MetricsOptions, optionRules.Rule>> = {
  maxSeries: optionRules.wholeNumber({ min: 2 * othersAtMost }),
  clock: optionRules.custom(
    'a clock',
    (value) => typeof value === 'object' && value !== null && 'setTimer' in value,
  ),
}
