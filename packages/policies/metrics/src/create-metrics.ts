import { checkTransport, optionRules } from '@posthorn/transport/options'
import { Meters, othersAtMost } from './meters.ts'
import { readStats } from './stats.ts'
import { watchHandlers } from './watch-handlers.ts'
import { watchSends } from './watch-sends.ts'
import { watchRules, watchTransport } from './watch-transport.ts'
import type { Metrics, MetricsOptions, ObservedBreaker } from './metrics.ts'

/** Metrics of this process. One for all its transports is enough. */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  optionRules.checkOptions('createMetrics()', options, {
    maxSeries: optionRules.wholeNumber({ min: 2 * othersAtMost }),
  })
  const { maxSeries = 200 } = options
  const meters = new Meters(maxSeries)
  const breakers = new Map<string, ObservedBreaker>()
  meters.live('breaker_state', 'A circuit breaker: 0 is closed, 0.5 half open, 1 open.', 'breaker', () =>
    [...breakers].map(([name, { state }]) => [name, breakerValue(state)] as const),
  )
  return {
    use: watchHandlers(meters),
    publishUse: watchSends(meters),
    watch(transport, watchOptions = {}) {
      checkTransport('watch()', transport)
      optionRules.checkOptions('watch()', watchOptions, watchRules)
      return watchTransport(meters, transport, watchOptions)
    },
    watchBreaker(breaker) {
      if (breakers.has(breaker.name) || breakers.size < maxBreakers) breakers.set(breaker.name, breaker)
    },
    getStats: () => readStats(meters),
    read: () => meters.read(),
  }
}

const maxBreakers = 20

function breakerValue(state: string): number {
  if (state === 'closed') return 0
  return state === 'half-open' || state === 'halfOpen' ? 0.5 : 1
}
