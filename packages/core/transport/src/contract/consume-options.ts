import type { Middleware } from './middleware.ts'
import type { RetryDelay } from '../consume/retry-delay.ts'

/** How a queue or subscription is consumed. */
export interface ConsumeOptions {
  /** Handlers running at a time; with `batch`, batches. Whole number from 1. Default 10. */
  readonly concurrency?: number
  /** Deliveries held at a time at most, running ones included. Default: the concurrency (with `batch`, times `max`). */
  readonly prefetch?: number
  /** Middleware, sorted by its phase. */
  readonly use?: readonly Middleware[]
  /** `key`: messages of one key one after the other, in order. Default `none`. */
  readonly order?: 'none' | 'key'
  /** With `order: 'key'`: whether later messages of a key wait while one is retried. Default `hold-key`. */
  readonly whileRetrying?: 'hold-key' | 'overtake'
  /** Attempts after which a message is dead-lettered. Default 5. Not together with middleware of phase `retry`. */
  readonly maxAttempts?: number
  /** Wait before each further attempt. Default `exponential()`: 1 s, doubling to 60 s, full jitter. */
  readonly retryDelay?: RetryDelay
  /**
   * The broker's hand-outs, less recorded releases, past which a message is dead-lettered without being handled again:
   * it ends the process that handles it, most likely. Where neighbours are counted with it, by `order: 'key'` or since
   * `deliveryCount` is emulated, and attempts can be recorded while they are made (`holdKey`), only if it was then alone in
   * its process, too. Default: the larger of 10 and twice `maxAttempts`.
   */
  readonly maxDeliveries?: number
  /** Milliseconds after which a handler's attempt counts as failed. Default 300,000 (5 minutes). */
  readonly handlerTimeoutMs?: number
  /** Bytes of a body past which a message is dead-lettered unread. Default: no bound beyond the broker's. */
  readonly maxBytes?: number
  /** Name of the handler in dead letters. Default: the function's name. */
  readonly name?: string
}

/** The same, with a handler of several messages at a time. */
export interface BatchConsumeOptions extends ConsumeOptions {
  readonly batch: {
    /** Messages at a time at most. Whole number from 1. */
    readonly max: number
    /** How long the first one waits for others. Milliseconds. Default 10. */
    readonly waitMs?: number
  }
}

/** Which messages of a topic a subscription gets. Either `group` or `ephemeral`. */
export type SubscriptionOptions = DurableSubscription | EphemeralSubscription

export interface DurableSubscription {
  /** Each group gets every matching message once; its members share them. It lives on when nobody is connected. */
  readonly group: string
  readonly ephemeral?: never
  /** AMQP patterns: `*` is one word, `#` none or more. Default `#`, all. */
  readonly patterns?: string | readonly string[]
  /** Where a group that does not exist yet starts. Default: now. */
  readonly from?: 'earliest' | Date
}

export interface EphemeralSubscription {
  /** Only while connected, and at most once: what fails or arrives during an interruption is gone. */
  readonly ephemeral: true
  readonly group?: never
  /** AMQP patterns: `*` is one word, `#` none or more. Default `#`, all. */
  readonly patterns?: string | readonly string[]
}
