import { checkOptions, duration, list as listOf, oneOf, required, custom } from '../options/check-options.ts'

/** Milliseconds to wait before the attempt that follows `attempt`, which failed. `random` is the clock's. */
export type RetryDelay = (attempt: number, random: () => number) => number

export interface ExponentialOptions {
  /** Wait after the first attempt. Milliseconds. Default 1,000. */
  readonly baseMs?: number
  /** What each wait is multiplied by for the next; from 1, fractions allowed. Default 2. */
  readonly factor?: number
  /** The longest scheduled wait, jitter not counted. Milliseconds. Default 60,000. */
  readonly maxMs?: number
  /** Default `full`. */
  readonly jitter?: 'full' | 'none'
}

/**
 * After attempt n, waits d = min(maxMs, baseMs · factor^(n - 1)); with full jitter d + random · d, so never less than
 * the schedule says and never twice as much. Rounded up to whole milliseconds.
 */
export function exponential(options: ExponentialOptions = {}): RetryDelay {
  checkOptions('exponential()', options, {
    baseMs: duration(),
    factor: custom('a finite number from 1', (value) => Number.isFinite(value) && (value as number) >= 1),
    maxMs: duration(),
    jitter: oneOf('full', 'none'),
  })
  const { baseMs = 1_000, factor = 2, maxMs = 60_000, jitter = 'full' } = options
  return (attempt, random) => {
    // Zero times an overflow would be NaN.
    const scheduled = baseMs === 0 ? 0 : Math.min(maxMs, baseMs * factor ** (attempt - 1))
    return roundUp(jitter === 'full' ? scheduled + random() * scheduled : scheduled)
  }
}

/** Always the same wait. Milliseconds. */
export function fixed(ms: number): RetryDelay {
  checkOptions('fixed()', { ms }, { ms: required(duration()) })
  const delay = roundUp(ms)
  return () => delay
}

/** The waits after the first attempt, the second and so on, in milliseconds; the last one repeats. */
export function list(delays: readonly number[]): RetryDelay {
  checkOptions('list()', { delays }, { delays: required(listOf(required(duration()), { min: 1 })) })
  const rounded = delays.map(roundUp)
  return (attempt) => rounded[Math.min(Math.max(attempt, 1), rounded.length) - 1]!
}

/** Up to whole milliseconds, but for what is only the error of floating point: 1000 · 1.1² is 1210. */
function roundUp(ms: number): number {
  return Number.isInteger(ms) ? ms : Math.ceil(ms * (1 - 1e-12))
}
