import { exponential, fixed, list, PosthornError, type RetryDelay } from '@posthorn/transport'
import { retryDefaults, type Backoff, type ScheduleOptions } from './retry-options.ts'

/** When something is tried again. */
export interface Schedule {
  readonly maxAttempts: number
  /** `Infinity`: no bound. */
  readonly maxElapsedMs: number
  /**
   * Milliseconds after `attempt`, which failed. `ownMs`, what the error asks for, takes the place of the scheduled wait;
   * jitter is the schedule's in both cases. Throws when a backoff of the user's is broken.
   */
  wait(attempt: number, random: () => number, ownMs?: number): Wait
}

/** Whole milliseconds. */
export interface Wait {
  /** What was promised. */
  readonly leastMs: number
  /** With jitter. */
  readonly jitteredMs: number
}

const largestRandom = 1 - 2 ** -53

export const leastRandom = (): number => 0
export const mostRandom = (): number => largestRandom

/** `options` are checked already. */
export function createSchedule(options: ScheduleOptions): Schedule {
  const { backoff = {}, maxAttempts = retryDefaults.maxAttempts, maxElapsedMs = Infinity } = options
  const jitter = options.jitter ?? (typeof backoff === 'function' ? 'none' : 'full')
  const maxDelayMs = options.maxDelayMs ?? (isGrowing(backoff) ? retryDefaults.maxDelayMs : Infinity)
  const scheduled = toDelay(backoff, maxDelayMs)
  return {
    maxAttempts,
    maxElapsedMs,
    wait(attempt, random, ownMs) {
      const delayMs = Math.min(maxDelayMs, Math.ceil(scheduled(attempt, random)))
      const leastMs = Math.ceil(ownMs ?? delayMs)
      return { leastMs, jitteredMs: jitter === 'none' ? leastMs : leastMs + Math.ceil(random() * delayMs) }
    },
  }
}

function isGrowing(backoff: Backoff): boolean {
  return typeof backoff === 'object' && !Array.isArray(backoff)
}

function toDelay(backoff: Backoff, maxDelayMs: number): RetryDelay {
  if (typeof backoff === 'function') return checked(backoff)
  if (typeof backoff === 'number') return fixed(backoff)
  if ('length' in backoff) return list(backoff)
  const { baseMs = retryDefaults.baseMs, factor = retryDefaults.factor } = backoff
  return exponential({ baseMs, factor, maxMs: Math.min(maxDelayMs, Number.MAX_SAFE_INTEGER), jitter: 'none' })
}

function checked(backoff: RetryDelay): RetryDelay {
  return (attempt, random) => {
    const delayMs: unknown = backoff(attempt, random)
    if (typeof delayMs === 'number' && delayMs >= 0 && delayMs < Infinity) return delayMs
    throw new PosthornError(
      'POSTHORN_INVALID_OPTION',
      `The backoff of a retry policy answered ${String(delayMs)} after attempt ${attempt}, and must answer milliseconds from 0.`,
      { phase: 'handle' },
    )
  }
}
