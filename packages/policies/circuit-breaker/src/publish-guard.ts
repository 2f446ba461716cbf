import type { PublishMiddleware } from '@posthorn/transport'
import { optionRules } from '@posthorn/transport/options'
import type { BreakerPublishOptions } from './breaker.ts'
import { Call, type CallsHost } from './calls.ts'
import { namesRule } from './names-rule.ts'
import { refusalOf } from './refusal-of.ts'

const rules = {
  destinations: namesRule('the name of a queue or topic, or an array of such'),
} satisfies Record<keyof BreakerPublishOptions, optionRules.Rule>

export function publishGuard(host: CallsHost, options: BreakerPublishOptions): PublishMiddleware {
  const { state, settings } = host
  const where = `publish() of breaker ${JSON.stringify(settings.name)}`
  optionRules.checkOptions(where, options, rules)
  const guarded = options.destinations === undefined ? undefined : new Set([options.destinations].flat())
  return {
    name: `circuit breaker ${settings.name}`,
    phase: 'guard',
    wrap: (next) => async (batch) => {
      if (guarded !== undefined && !guarded.has(batch.destination)) return next(batch)
      const call = Call.begin(host)
      if (call === undefined) throw refusalOf(state, settings, 'publish')
      try {
        await next(batch)
      } catch (error) {
        call.failedWith(error, 'elsewhere')
        throw error
      }
      call.succeeded()
    },
  }
}
