import type { BatchConsumeOptions, ConsumeOptions } from '../contract/consume-options.ts'
import type { BatchHandler, Handler, Middleware, MiddlewareFacts } from '../contract/middleware.ts'
import { PosthornError } from '../errors.ts'
import {
  callback,
  custom,
  duration,
  list,
  oneOf,
  required,
  shape,
  text,
  wholeNumber,
  type Rule,
} from '../options/check-options.ts'
import { showValue } from '../options/show-value.ts'
import { sortMiddleware } from './chain.ts'
import { exponential, type RetryDelay } from './retry-delay.ts'

/** Consume options with every default filled in, checked. */
export interface ConsumeSettings {
  concurrency: number
  /** Messages of one call of the handler at most; 1 without `batch`. */
  readonly batchMax: number
  readonly batchWaitMs: number
  /** `undefined`: follows the concurrency. */
  readonly prefetch: number | undefined
  readonly middleware: readonly Middleware[]
  readonly order: 'none' | 'key'
  readonly holdKey: boolean
  readonly maxAttempts: number
  readonly retryDelay: RetryDelay
  /** What the policy of phase `retry` makes of a failure that it does not see itself. */
  readonly decide: MiddlewareFacts['decide']
  readonly maxDeliveries: number
  readonly handlerTimeoutMs: number
  readonly maxBytes: number
  readonly from: 'earliest' | Date | undefined
  readonly name: string
  readonly handler:
    | { readonly kind: 'single'; readonly call: Handler<never> }
    | { readonly kind: 'batch'; readonly call: BatchHandler<never> }
  /** At most once: nothing is retried or dead-lettered. */
  readonly ephemeral: boolean
}

/** What is used where a consumer says nothing. */
export const consumeDefaults = {
  concurrency: 10,
  maxAttempts: 5,
  handlerTimeoutMs: 300_000,
  batchWaitMs: 10,
} as const

export const maxConcurrency = 100_000

const middlewareParts: Readonly<Record<string, Rule>> = {
  name: required(text({ max: 100 })),
  phase: required(oneOf('observe', 'retry', 'guard', 'once')),
  facts: custom('an object', (value) => typeof value === 'object'),
  wrap: required(callback()),
}

/** A middleware may be more than that: a policy can be used without a transport, too. */
const middlewareRule: Rule = {
  check(value, place) {
    const given = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
    const parts = Object.keys(middlewareParts).map((name) => [name, given?.[name]])
    shape(middlewareParts).check(given === undefined ? value : Object.fromEntries(parts), place)
  },
}

/** The rules of `ConsumeOptions`; `subscribe` has its own beside them. */
export const consumeRules: Readonly<Record<string, Rule>> = {
  concurrency: wholeNumber({ min: 1, max: maxConcurrency }),
  prefetch: wholeNumber({ min: 1, max: 1_000_000 }),
  use: list(middlewareRule),
  order: oneOf('none', 'key'),
  whileRetrying: oneOf('hold-key', 'overtake'),
  maxAttempts: wholeNumber({ min: 1, max: 1_000_000 }),
  retryDelay: custom(
    'a function such as exponential(), fixed(ms) or list([ms])',
    (value) => typeof value === 'function',
  ),
  maxDeliveries: wholeNumber({ min: 1, max: 1_000_000 }),
  handlerTimeoutMs: duration({ min: 1 }),
  maxBytes: wholeNumber({ min: 1 }),
  name: text({ max: 200 }),
  batch: shape({ max: required(wholeNumber({ min: 1, max: 100_000 })), waitMs: duration() }),
}

/** Checks a consumer's handler and options, which have passed their rules, against each other, and fills in defaults. */
export function consumeSettings(
  where: string,
  handler: unknown,
  options: ConsumeOptions & Partial<BatchConsumeOptions>,
  reading: { readonly ephemeral: boolean; readonly from?: 'earliest' | Date | undefined },
): ConsumeSettings {
  const { ephemeral, from } = reading
  if (typeof handler !== 'function') {
    refuse(`${where} takes a handler function, and got ${showValue(handler)}. Pass (message, context) => …`)
  }
  const { batch, order = 'none', concurrency = consumeDefaults.concurrency, prefetch } = options
  const middleware = sortMiddleware(options.use ?? [], where)
  const policy = middleware.find((one) => one.phase === 'retry')
  if (policy !== undefined && (options.maxAttempts !== undefined || options.retryDelay !== undefined)) {
    refuse(
      `${where} has two retry policies: middleware "${policy.name}", and ` +
        `${options.maxAttempts === undefined ? 'retryDelay' : 'maxAttempts'}. Attempts would multiply: keep one of them.`,
    )
  }
  if (options.whileRetrying !== undefined && order !== 'key') {
    refuse(`${where}.whileRetrying says what becomes of a key's later messages, so it needs order: 'key'.`)
  }
  if (batch !== undefined) {
    if (order === 'key')
      refuse(`${where} has batch and order: 'key'; a batch has no order to keep. Use one of them.`)
    const transactional = middleware.find((one) => one.facts?.transactional === true)
    if (transactional !== undefined) {
      refuse(
        `${where} has batch and the transactional middleware "${transactional.name}", which settles each message by itself. Use one of them.`,
      )
    }
  }
  const batchMax = batch?.max ?? 1
  const slots = concurrency * batchMax
  if (prefetch !== undefined && prefetch < slots) {
    refuse(
      `${where}.prefetch is ${prefetch}, so ${slots} messages could never be handled at a time. ` +
        'Set prefetch to at least the concurrency (with batch, times max), or leave it out.',
    )
  }
  if (ephemeral) {
    if (from !== undefined)
      refuse(`${where}.from says where a group starts; with ephemeral: true there is none. Leave it out.`)
    for (const name of ['maxAttempts', 'retryDelay', 'maxDeliveries', 'whileRetrying'] as const) {
      if (options[name] !== undefined) {
        refuse(
          `${where}.${name} has no meaning with ephemeral: true, which is at most once. Use a group, or leave it out.`,
        )
      }
    }
  }
  const maxAttempts =
    policy?.facts?.maxAttempts ??
    (policy === undefined ? (options.maxAttempts ?? consumeDefaults.maxAttempts) : Infinity)
  const name = options.name ?? (handler as { readonly name: string }).name
  return {
    concurrency,
    batchMax,
    batchWaitMs: batch?.waitMs ?? consumeDefaults.batchWaitMs,
    prefetch,
    middleware,
    order,
    holdKey: order === 'key' && options.whileRetrying !== 'overtake',
    maxAttempts: ephemeral ? Infinity : maxAttempts,
    retryDelay: options.retryDelay ?? exponential(),
    decide: policy?.facts?.decide,
    maxDeliveries: ephemeral
      ? Infinity
      : (options.maxDeliveries ?? Math.max(10, maxAttempts === Infinity ? 100 : 2 * maxAttempts)),
    handlerTimeoutMs: options.handlerTimeoutMs ?? consumeDefaults.handlerTimeoutMs,
    maxBytes: options.maxBytes ?? Infinity,
    from,
    name,
    handler:
      batch === undefined
        ? { kind: 'single', call: handler as Handler<never> }
        : { kind: 'batch', call: handler as BatchHandler<never> },
    ephemeral,
  }
}

function refuse(message: string): never {
  throw new PosthornError('POSTHORN_INVALID_OPTION', message, { phase: 'options' })
}
