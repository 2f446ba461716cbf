import type { ErrorCode } from './error-codes.ts'

/** Where it went wrong. */
export type ErrorPhase = 'connect' | 'publish' | 'receive' | 'handle' | 'settle' | 'declare' | 'options'

/** What became of a message: surely not on the broker, or perhaps there. */
export type FailedOutcome = 'rejected' | 'unknown'

const brand = Symbol.for('posthorn.error')

export interface PosthornErrorDetails {
  readonly phase?: ErrorPhase
  /** Whether doing the same again may succeed. Default: false. */
  readonly retryable?: boolean
  readonly outcome?: FailedOutcome
  readonly cause?: unknown
}

/**
 * Every error of Posthorn. `message` says what was wrong, with which value, and what to do next; `code` is
 * stable and listed in `errorCodes`. Recognise it with `isPosthornError`, which also works when an application holds
 * two copies of the package.
 */
export class PosthornError extends Error {
  readonly code: ErrorCode
  readonly phase: ErrorPhase | undefined
  /** Whether doing the same again may succeed. */
  readonly retryable: boolean
  /** Of a publish: `rejected`, it is not on the broker; `unknown`, it may be, so send again with the same id. */
  readonly outcome: FailedOutcome | undefined

  constructor(code: ErrorCode, message: string, details: PosthornErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.phase = details.phase
    this.retryable = details.retryable ?? false
    this.outcome = details.outcome
  }
}
// On the prototype, so that they are neither own fields of each error nor part of what `inspect` shows.
Object.defineProperty(PosthornError.prototype, 'name', {
  value: 'PosthornError',
  configurable: true,
  writable: true,
})
Object.defineProperty(PosthornError.prototype, brand, { value: true })

/** True for a `PosthornError` of any copy of the package. Never throws. */
export function isPosthornError(value: unknown): value is PosthornError {
  try {
    return typeof value === 'object' && value !== null && (value as { [brand]?: unknown })[brand] === true
  } catch {
    return false
  }
}

/** The same failure, told for one message with its outcome. */
export function withOutcome(error: PosthornError, outcome: FailedOutcome): PosthornError {
  if (error.outcome === outcome) return error
  return new PosthornError(error.code, error.message, {
    phase: error.phase ?? 'publish',
    retryable: error.retryable,
    outcome,
    cause: error.cause ?? error,
  })
}

/** What became of the messages of a `sendMany` or `publishMany` of which not all were confirmed. */
export class PartialPublishError extends PosthornError {
  /** In the batch's order: `confirmed`, or the error with its `outcome`. */
  readonly outcomes: readonly ('confirmed' | PosthornError)[]

  constructor(destination: string, outcomes: readonly ('confirmed' | PosthornError)[]) {
    const failed = outcomes.filter((outcome) => outcome !== 'confirmed')
    const unknown = failed.filter((error) => error.outcome === 'unknown').length
    super(
      'POSTHORN_PARTIAL_PUBLISH',
      `${failed.length} of ${outcomes.length} messages to "${destination}" were not confirmed ` +
        `(${failed.length - unknown} rejected, ${unknown} unknown). The first: ${failed[0]?.message ?? 'none'} ` +
        'What is retryable can be sent again with the same id; `outcomes` has one entry for each message.',
      {
        phase: 'publish',
        retryable: failed.some((error) => error.retryable),
        outcome: unknown > 0 ? 'unknown' : 'rejected',
        cause: failed[0],
      },
    )
    this.outcomes = outcomes
  }
}

/** Any thrown value as an `Error`. Never throws. */
export function toError(value: unknown): Error {
  try {
    if (value instanceof Error) return value
    return new Error(
      typeof value === 'string' ? value : `A value that is no error was thrown: ${String(value)}`,
    )
  } catch {
    return new Error('A value that cannot be shown was thrown')
  }
}

/** Any thrown value as a `PosthornError`; one that is not ours becomes the cause of one with `code`. */
export function toPosthornError(
  value: unknown,
  code: ErrorCode,
  details: PosthornErrorDetails = {},
): PosthornError {
  if (isPosthornError(value)) return value
  const error = toError(value)
  return new PosthornError(code, error.message, { ...details, cause: error })
}
