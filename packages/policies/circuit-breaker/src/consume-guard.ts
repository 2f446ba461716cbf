import type { Context, Message, Middleware, Settlement } from '@posthorn/transport'
import { optionRules } from '@posthorn/transport/options'
import type { BreakerConsumeOptions } from './breaker.ts'
import { Call, type CallsHost } from './calls.ts'
import { namesRule } from './names-rule.ts'
import { afterProbesMs, waitMs } from './refusal-of.ts'
import { TrialOrder } from './trial-order.ts'

/** A consumer that waits with its breaker. */
export interface Attachment {
  pause(): void
  resume(): void
}

export interface GuardHost extends CallsHost {
  /** Keeps a consumer paused as the state says, from now on; answers how to end that. */
  attach(attachment: Attachment): () => void
}

const rules = {
  types: namesRule('a message type, or an array of such'),
} satisfies Record<keyof BreakerConsumeOptions, optionRules.Rule>

export function consumeGuard(host: GuardHost, options: BreakerConsumeOptions): Middleware {
  const { state, settings } = host
  const where = `consume() of breaker ${JSON.stringify(settings.name)}`
  optionRules.checkOptions(where, options, rules)
  const types = options.types === undefined ? undefined : [options.types].flat()
  const guarded = types === undefined ? undefined : new Set(types)

  const wait = (context: Context): Settlement =>
    context.release({ delayMs: Math.ceil(waitMs(state, settings)) })

  /** A failure of the dependency spends an attempt only while the breaker does not know of its failing yet. */
  const fail = (call: Call, context: Context, error: unknown, spent: () => Settlement): Settlement => {
    const wasClosed = state.name === 'closed'
    if (isCutShort(context)) {
      call.ignore()
      return spent()
    }
    return call.failedWith(error, 'handler') && !wasClosed ? wait(context) : spent()
  }

  const see = (call: Call, context: Context, settlement: Settlement): Settlement => {
    if (settlement.verb === 'ack' && !settlement.repeated) call.succeeded()
    else if (settlement.verb === 'retry') return fail(call, context, settlement.error, () => settlement)
    else call.ignore()
    return settlement
  }

  return {
    name: `circuit breaker ${settings.name}`,
    phase: 'guard',
    wrap(next, runtime) {
      const detach = host.attach({ pause: () => runtime.pause(types), resume: () => runtime.resume(types) })
      runtime.onClose(detach)
      const trials = new TrialOrder(state, settings.clock)

      return (message: Message, context: Context) => {
        if (guarded !== undefined && !guarded.has(message.type)) return next(message, context)
        if (trials.stepsBack(message.id)) return context.release({ delayMs: afterProbesMs })
        const call = Call.begin(host)
        if (call === undefined) return wait(context)
        trials.begun(message.id)
        const thrown = (error: unknown): Settlement =>
          fail(call, context, error, () => {
            throw error
          })
        let answer: Settlement | Promise<Settlement>
        try {
          answer = next(message, context)
        } catch (error) {
          return thrown(error)
        }
        if (!(answer instanceof Promise)) return see(call, context, answer)
        return answer.then((settlement) => see(call, context, settlement), thrown)
      }
    },
  }
}

/** A stop or a lost lease has ended it; that its time was over is a failure like others. */
function isCutShort({ signal, lease }: Context): boolean {
  if (lease.lost) return true
  if (!signal.aborted) return false
  return (signal.reason as { readonly code?: unknown } | undefined)?.code !== 'POSTHORN_HANDLER_TIMEOUT'
}
