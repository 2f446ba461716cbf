import type { Clock, Message, RetryDelay } from '@posthorn/transport'

/** Waits that grow: `baseMs` after the first attempt, `factor` times as much after each further one. */
export interface ExponentialBackoff {
  /** Milliseconds. Default 1,000. */
  readonly baseMs?: number
  /** From 1, fractions allowed. Default 2. */
  readonly factor?: number
}

/**
 * The waits between attempts, before jitter. An object: they grow. A number: always so many milliseconds. An array: the wait
 * after the first attempt, the second and so on; the last one repeats. A function: whatever it answers.
 */
export type Backoff = ExponentialBackoff | number | readonly number[] | RetryDelay

/** How often, and after which waits, something is tried. */
export interface ScheduleOptions {
  /** The message's, over all processes. Whole number from 1. Default 5. */
  readonly maxAttempts?: number
  /** Default `{ baseMs: 1_000, factor: 2 }`. */
  readonly backoff?: Backoff
  /**
   * `full`: a wait of d takes between d and 2·d, so never less than the schedule says. Default `full`; `none` where
   * `backoff` is a function, which gets the randomness itself.
   */
  readonly jitter?: 'full' | 'none'
  /** The longest wait, jitter not counted. Milliseconds. Default 60,000 for waits that grow, else no bound. */
  readonly maxDelayMs?: number
  /** No attempt begins later than this after the first failure. Milliseconds. Default: no bound. */
  readonly maxElapsedMs?: number
}

/** A class of errors. */
export type ErrorClass = abstract new (...args: never[]) => Error

/**
 * What is done about some failures. Of the first four fields, those that are there must all fit; each fits when one of its
 * values does. The first rule that fits is the one that counts.
 */
export interface FailureRule extends ScheduleOptions {
  /** Message types, or AMQP patterns of them: `payment.#`. With `run`, its `type`. */
  readonly types?: string | readonly string[]
  /** Classes; the error, or one of its causes, is an instance. */
  readonly errors?: ErrorClass | readonly ErrorClass[]
  /** Of the error or one of its causes: its `code`, as text. */
  readonly codes?: string | number | readonly (string | number)[]
  /** Anything else. The message is `undefined` in `run`. A predicate that throws does not fit. */
  readonly test?: (error: unknown, message: Message | undefined) => boolean
  /** `false`: no further attempt. Default `true`, also for errors that are not retryable otherwise. */
  readonly retry?: boolean
  /** With `retry: false`: the dead letter's reason. 1 to 100 characters. Default `not-retryable`. */
  readonly reason?: string
}

export interface RetryOptions extends ScheduleOptions {
  /** What is different for some messages or errors; a rule's schedule takes the place of the policy's, field by field. */
  readonly when?: readonly FailureRule[]
  /**
   * The longest wait that an error may ask for by its `retryAfterMs`; one that asks for more is not tried again.
   * Milliseconds. Default 3,600,000 (1 hour).
   */
  readonly maxRetryAfterMs?: number
  /**
   * How long after they are made messages expire, if their senders see to that. A schedule whose last attempt could never
   * come before is refused. Milliseconds. Default: not checked.
   */
  readonly messageLifetimeMs?: number
  /**
   * How long after a message was dead-lettered it may be replayed. Consumers whose middleware recognises repeated messages
   * for a shorter time are refused; 0 leaves replays out of that. Milliseconds. Default 86,400,000 (1 day).
   */
  readonly replayHorizonMs?: number
  /** In errors, and of the middleware. 1 to 100 characters. Default `retry`. */
  readonly name?: string
  /** Time and randomness of `run`. Default: the system's. A consumer uses its transport's. */
  readonly clock?: Clock
}

/** What is used where options say nothing. */
export const retryDefaults = {
  maxAttempts: 5,
  baseMs: 1_000,
  factor: 2,
  maxDelayMs: 60_000,
  maxRetryAfterMs: 3_600_000,
  replayHorizonMs: 86_400_000,
  name: 'retry',
} as const
