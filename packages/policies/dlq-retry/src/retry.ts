import type { Context, Message, Middleware, MiddlewareRuntime, Settlement } from '@posthorn/transport'
import { isPosthornError } from '@posthorn/transport'
import { systemClock } from '@posthorn/transport/options'
import { judge, type Failure } from './judge.ts'
import type { RetryOptions } from './retry-options.ts'
import { retrySettings, type RetrySettings } from './retry-settings.ts'
import { largestSpanMs } from './retry-span.ts'
import { runRetrying, type RunAttempt, type RunOptions } from './run-retrying.ts'

/** Middleware that decides about failures, in place of the transport's default, and the same for any function. */
export interface RetryPolicy extends Middleware {
  readonly phase: 'retry'
  /** The options, compiled; for `explain`. */
  readonly settings: RetrySettings
  /**
   * Calls `call` until it succeeds, and answers what it answered. Rejects with its last error when the policy gives up, and
   * with `POSTHORN_ABORTED` when `signal` aborts a wait.
   */
  run<Result>(
    call: (attempt: RunAttempt) => Result | PromiseLike<Result>,
    options?: RunOptions,
  ): Promise<Result>
}

/**
 * Makes a policy. It holds nothing that belongs to one message, so one may serve any number of consumers and calls.
 */
export function retry(options: RetryOptions = {}): RetryPolicy {
  const settings = retrySettings(options)
  const { clock = systemClock } = options
  const schedules = [settings.schedule, ...settings.rules.map(({ schedule }) => schedule)]
  return {
    name: settings.name,
    phase: 'retry',
    settings,
    facts: {
      maxAttempts: Math.max(...schedules.map(({ maxAttempts }) => maxAttempts)),
      retrySpanMs: Math.max(
        ...schedules.map((schedule) => largestSpanMs(schedule, settings.maxRetryAfterMs)),
      ),
      replayHorizonMs: settings.replayHorizonMs,
      decide: (error, message, context, runtime) =>
        settle(settings, runtime, message, context, { error, chosenMs: undefined }),
    },
    wrap(next, runtime) {
      const judged = (message: Message, context: Context, failed: Failed): Settlement =>
        settle(settings, runtime, message, context, failed)
      const fail = (message: Message, context: Context, error: unknown): Settlement =>
        judged(message, context, { error, chosenMs: undefined })
      const see = (message: Message, context: Context, settlement: Settlement): Settlement =>
        settlement.verb === 'retry'
          ? judged(message, context, { error: settlement.error, chosenMs: settlement.delayMs })
          : settlement

      return (message, context) => {
        let answer: Settlement | Promise<Settlement>
        try {
          answer = next(message, context)
        } catch (error) {
          return fail(message, context, error)
        }
        if (!(answer instanceof Promise)) return see(message, context, answer)
        return answer.then(
          (settlement) => see(message, context, settlement),
          (error: unknown) => fail(message, context, error),
        )
      }
    },
    run: (call, runOptions) => runRetrying(settings, clock, call, runOptions),
  }
}

type Failed = Pick<Failure, 'error' | 'chosenMs'>

function settle(
  settings: RetrySettings,
  { clock, emit, source }: Pick<MiddlewareRuntime, 'clock' | 'emit' | 'source'>,
  message: Message,
  context: Context,
  { error, chosenMs }: Failed,
): Settlement {
  const again = (delayMs: number | undefined): Settlement =>
    context.retry(delayMs === undefined ? { error } : { delayMs, error })
  // The consumer gives it back, with no attempt spent.
  if (isStopping(context)) return again(undefined)
  const report = (thrown: unknown): void =>
    emit('callbackFailed', { where: `${settings.name} of "${source}"`, error: thrown })
  const { attempt, firstFailedAt } = context
  const failure = { error, chosenMs, attempt, firstFailedAt, message, type: message.type }
  try {
    const verdict = judge(settings, failure, { now: clock.now(), random: () => clock.random(), report })
    return verdict.again ? again(verdict.delayMs) : context.deadLetter({ reason: verdict.reason, error })
  } catch (thrown) {
    report(thrown)
    // The transport's own wait.
    return again(undefined)
  }
}

/** Whether what failed did so because the consumer is being stopped. */
function isStopping({ signal }: Context): boolean {
  if (!signal.aborted) return false
  const reason: unknown = signal.reason
  return isPosthornError(reason) && reason.code === 'POSTHORN_CLOSED'
}
