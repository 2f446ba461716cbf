import type { Middleware } from '@posthorn/transport'
import { TokenBucket } from './token-bucket.ts'

/** A token bucket: `max` tasks can start at once, and it refills evenly, `max` in `perMs`. */
export interface RateLimit {
  /** Whole number from 1. */
  readonly max: number
  /** Milliseconds. */
  readonly perMs: number
}

/** So often does the worker look at a bucket that refills quickly, at most. Milliseconds. */
const refillMs = 100

/**
 * Lets a worker start as many tasks as there are tokens. Nobody waits for one in a handler: without a token nothing is
 * taken from the queue, so other workers get it.
 */
export function rateLimit({ max, perMs }: RateLimit): Middleware {
  const step = Math.max(1, Math.ceil((max * refillMs) / perMs))
  return {
    name: 'rate limit',
    phase: 'observe',
    wrap(next, runtime) {
      const { clock } = runtime
      const bucket = new TokenBucket(max, perMs)
      let cancelTimer: (() => void) | undefined

      const refillLater = (): void => {
        const now = clock.now()
        const available = bucket.available(now)
        if (available === max) return
        cancelTimer = clock.setTimer(refill, bucket.waitFor(Math.min(max, available + step), now))
      }
      const refill = (): void => {
        cancelTimer = undefined
        runtime.allow(bucket.available(clock.now()))
        refillLater()
      }

      runtime.allow(max)
      runtime.onClose(() => cancelTimer?.())
      return (message, context) => {
        bucket.take(clock.now())
        if (cancelTimer === undefined) refillLater()
        return next(message, context)
      }
    },
  }
}
