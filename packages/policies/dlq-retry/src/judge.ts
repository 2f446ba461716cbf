import { retryAfterOf, saysNeverAgain } from './error-facts.ts'
import type { FailedThing } from './failure-rules.ts'
import type { RetrySettings } from './retry-settings.ts'

export interface Failure extends FailedThing {
  /** Which attempt failed. */
  readonly attempt: number
  /** Epoch milliseconds; `undefined`: this is the first failure, or nobody knows. */
  readonly firstFailedAt: number | undefined
  /** The wait that a handler chose, kept as it is. Milliseconds. */
  readonly chosenMs?: number | undefined
}

/** Whether to try again, and when, or why not. */
export type Verdict =
  | { readonly again: true; readonly delayMs: number }
  | { readonly again: false; readonly reason: string }

export interface JudgeHost {
  readonly now: number
  readonly random: () => number
  /** A callback of the user's threw. */
  readonly report: (error: unknown) => void
}

const giveUp = (reason: string): Verdict => ({ again: false, reason })

/** The whole policy, for messages and for functions. Throws only what a backoff of the user's throws. */
export function judge(settings: RetrySettings, failure: Failure, host: JudgeHost): Verdict {
  const { error, attempt, chosenMs } = failure
  const rule = settings.rules.find((one) => one.fits(failure, host.report))
  if (rule?.given.retry === false) return giveUp(rule.given.reason ?? 'not-retryable')
  if (rule === undefined && saysNeverAgain(error)) return giveUp('not-retryable')
  const schedule = rule?.schedule ?? settings.schedule
  if (attempt >= schedule.maxAttempts) return giveUp('attempts-exhausted')
  const ownMs = chosenMs ?? retryAfterOf(error)
  if (ownMs !== undefined && chosenMs === undefined && ownMs > settings.maxRetryAfterMs)
    return giveUp('retry-after-too-long')
  const { leastMs, jitteredMs } = schedule.wait(attempt, host.random, ownMs)
  const leftMs = (failure.firstFailedAt ?? host.now) + schedule.maxElapsedMs - host.now
  if (leastMs > leftMs) return giveUp('time-exhausted')
  return { again: true, delayMs: chosenMs === undefined ? Math.min(jitteredMs, leftMs) : leastMs }
}
