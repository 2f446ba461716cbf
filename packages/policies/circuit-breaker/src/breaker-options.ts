import { PosthornError, type Clock } from '@posthorn/transport'
import { optionRules, systemClock } from '@posthorn/transport/options'

const { callback, checkOptions, custom, duration, oneOf, required, text, wholeNumber } = optionRules

export interface BreakerOptions {
  /** The dependency, in errors, events and health. 1 to 100 characters. */
  readonly name: string
  /** The share of failed calls at which it opens. Above 0, to 1. Default 0.5. */
  readonly failureRate?: number
  /** Calls in the window below which it never opens. Whole number from 1. Default 10. */
  readonly minimumCalls?: number
  /** How far back calls count. Milliseconds, from 10; it moves on in tenths. Default 10,000. */
  readonly windowMs?: number
  /** From when on a call is slow. Milliseconds. Default: none is. */
  readonly slowMs?: number
  /** The share of slow calls at which it opens. Above 0, to 1. Default 0.5. */
  readonly slowRate?: number
  /** After so long a call counts as failed; `execute` also aborts its signal and rejects. Milliseconds. Default: never. */
  readonly timeoutMs?: number
  /** How long it stays open, jitter not counted. Milliseconds. Default 30,000. */
  readonly resetMs?: number
  /** What that is multiplied by each time the trial calls fail. From 1. Default 2. */
  readonly resetFactor?: number
  /** The longest it stays open, jitter not counted. Milliseconds. Default 300,000 (5 minutes). */
  readonly maxResetMs?: number
  /** `full`: it stays open for d to 2·d, so that not all processes come back at once. Default `full`. */
  readonly jitter?: 'full' | 'none'
  /** Trial calls while half-open: exactly so many, judged by the same rates. Whole number from 1. Default 1. */
  readonly probes?: number
  /** How long it waits for trial calls to end before it opens again. Milliseconds. Default 60,000. */
  readonly maxProbeMs?: number
  /**
   * Whether an error is the dependency's: `true` counts as a failure, `false` not at all. Errors of a store, an open breaker
   * or a stop never get here, and never count. Default: in a handler, all but Posthorn's own; elsewhere, those of Posthorn's
   * own that are `retryable` as well.
   */
  readonly record?: (error: unknown) => boolean
  /** Time and randomness. Default: the system's. */
  readonly clock?: Clock
}

/** Options with every default filled in, checked. */
export interface BreakerSettings {
  readonly name: string
  readonly failureRate: number
  readonly minimumCalls: number
  readonly windowMs: number
  /** `Infinity`: none is slow. */
  readonly slowMs: number
  readonly slowRate: number
  /** `Infinity`: never. */
  readonly timeoutMs: number
  readonly resetMs: number
  readonly resetFactor: number
  readonly maxResetMs: number
  readonly jitter: 'full' | 'none'
  readonly probes: number
  readonly maxProbeMs: number
  readonly record: ((error: unknown) => boolean) | undefined
  readonly clock: Clock
}

const breakerDefaults = {
  failureRate: 0.5,
  minimumCalls: 10,
  windowMs: 10_000,
  slowMs: Infinity,
  slowRate: 0.5,
  timeoutMs: Infinity,
  resetMs: 30_000,
  resetFactor: 2,
  maxResetMs: 300_000,
  jitter: 'full',
  probes: 1,
  maxProbeMs: 60_000,
} as const

const share = custom('a number above 0, to 1', (value) => (value as number) > 0 && (value as number) <= 1)

const rules = {
  name: required(text({ max: 100 })),
  failureRate: share,
  minimumCalls: wholeNumber({ min: 1 }),
  windowMs: duration({ min: 10 }),
  slowMs: duration({ min: 1 }),
  slowRate: share,
  timeoutMs: duration({ min: 1 }),
  resetMs: duration({ min: 1 }),
  resetFactor: custom('a finite number from 1', (value) => Number.isFinite(value) && (value as number) >= 1),
  maxResetMs: duration({ min: 1 }),
  jitter: oneOf('full', 'none'),
  probes: wholeNumber({ min: 1, max: 100_000 }),
  maxProbeMs: duration({ min: 1 }),
  record: callback(),
  clock: custom('a clock', (value) => typeof value === 'object' && value !== null && 'setTimer' in value),
} satisfies Record<keyof BreakerOptions, optionRules.Rule>

export function breakerSettings(options: BreakerOptions): BreakerSettings {
  checkOptions('createBreaker()', options, rules)
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const settings: BreakerSettings = {
    ...breakerDefaults,
    record: undefined,
    clock: systemClock,
    ...(given as unknown as BreakerOptions),
  }
  if (options.slowRate !== undefined && options.slowMs === undefined)
    throw refusal('slowRate is the share of slow calls, and slowMs, which says what is slow, is missing.')
  if (settings.maxResetMs < settings.resetMs)
    throw refusal(
      `maxResetMs is ${settings.maxResetMs}, below resetMs, ${settings.resetMs}. Raise it, or lower resetMs.`,
    )
  return settings
}

function refusal(message: string): PosthornError {
  return new PosthornError('POSTHORN_INVALID_OPTION', `createBreaker(): ${message}`, { phase: 'options' })
}
