import type { Context } from '../contract/context.ts'
import type { Message } from '../contract/message.ts'
import type { Handler, Middleware, MiddlewarePhase, MiddlewareRuntime, Next } from '../contract/middleware.ts'
import type { Settlement } from '../contract/settlement.ts'
import { PosthornError } from '../errors.ts'
import { showValue } from '../options/show-value.ts'
import { isPromiseLike } from './is-promise-like.ts'
import { isSettlement, retryAfter, toSettlement } from './settlement.ts'

const order: Readonly<Record<MiddlewarePhase, number>> = { observe: 0, retry: 1, guard: 2, once: 3 }

/** Sorts middleware by phase, keeping the given order within one, and refuses what cannot work together. */
export function sortMiddleware(middleware: readonly Middleware[], where: string): readonly Middleware[] {
  const policies = middleware.filter((one) => one.phase === 'retry')
  if (policies.length > 1) {
    throw new PosthornError(
      'POSTHORN_INVALID_OPTION',
      `${where}.use has ${policies.length} retry policies (${policies.map((one) => `"${one.name}"`).join(', ')}); ` +
        'attempts would multiply. Keep one.',
      { phase: 'options' },
    )
  }
  return middleware.toSorted((a, b) => order[a.phase] - order[b.phase])
}

/** The handler as the last stage. */
export function terminal(handler: Handler<never>): Next {
  const call = handler as (message: Message, context: Context) => unknown
  return (message, context) => {
    const result = call(message, context)
    return isPromiseLike(result) ? Promise.resolve(result).then(toSettlement) : toSettlement(result)
  }
}

/** Wraps `last` in the middleware, first one outermost. */
export function compose(
  sorted: readonly Middleware[],
  last: Next,
  runtimeOf: (middleware: Middleware) => MiddlewareRuntime,
): Next {
  let next = last
  for (const middleware of sorted.toReversed()) {
    const wrapped: unknown = middleware.wrap(next, runtimeOf(middleware))
    if (typeof wrapped !== 'function') {
      throw new PosthornError(
        'POSTHORN_INVALID_OPTION',
        `Middleware "${middleware.name}" wrapped the handler into ${showValue(wrapped)}. ` +
          'Return a function (message, context) => …, or `next` itself.',
        { phase: 'options' },
      )
    }
    next = checked(middleware, wrapped as Next)
  }
  return next
}

/**
 * The default retry policy as the middleware that it is: what throws becomes a retry with the policy's delay. It stands
 * in the chain where `retry` middleware would, so that observers see a settlement in both cases.
 */
export const defaultRetry: Middleware = {
  name: 'default retry',
  phase: 'retry',
  wrap: (next) => (message, context) => {
    try {
      const result = next(message, context)
      return result instanceof Promise
        ? result.catch((error: unknown) => retryAfter(undefined, error))
        : result
    } catch (error) {
      return retryAfter(undefined, error)
    }
  },
}

/** A middleware that forgets to return what `next` returned would turn failures into acks: say so instead. */
function checked(middleware: Middleware, next: Next): Next {
  const check = (result: Settlement): Settlement => {
    if (isSettlement(result)) return result
    throw new PosthornError(
      'POSTHORN_INVALID_SETTLEMENT',
      `Middleware "${middleware.name}" answered with something that is no settlement. ` +
        'Return what next() returned, a settlement made by the context, or throw.',
      { phase: 'handle' },
    )
  }
  return (message, context) => {
    const result: unknown = next(message, context)
    return isPromiseLike(result)
      ? Promise.resolve(result as PromiseLike<Settlement>).then(check)
      : check(result as Settlement)
  }
}
