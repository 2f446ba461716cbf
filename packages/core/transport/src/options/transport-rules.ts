import type { TransportOptions } from '../contract/transport-options.ts'
import {
  callback,
  custom,
  duration,
  list,
  oneOf,
  shape,
  required,
  text,
  wholeNumber,
  type Rule,
} from './check-options.ts'

const clock = custom('a clock, such as createVirtualClock() of @posthorn/transport/testing', (value) => {
  const one = value as Record<string, unknown> | null
  return (
    typeof one === 'object' &&
    one !== null &&
    ['now', 'random', 'setTimer', 'defer'].every((name) => typeof one[name] === 'function')
  )
})

const codec = custom('a codec: { encode, decode }', (value) => {
  const one = value as Record<string, unknown> | null
  return (
    typeof one === 'object' &&
    one !== null &&
    typeof one['encode'] === 'function' &&
    typeof one['decode'] === 'function'
  )
})

/** The rules of `TransportOptions`; a broker's factory adds its own. */
export const transportRules: Readonly<Record<string, Rule>> = {
  namespace: custom(
    'a prefix of 1 to 20 of A-Z a-z 0-9 . _ -',
    (value) => typeof value === 'string' && /^[A-Za-z0-9._-]{1,20}$/.test(value),
  ),
  topology: oneOf('create', 'check', 'none'),
  codec,
  sendTimeoutMs: duration({ min: 1 }),
  maxInFlight: wholeNumber({ min: 1 }),
  maxInFlightBytes: wholeNumber({ min: 1 }),
  whenFull: oneOf('wait', 'reject'),
  publishUse: list(
    shape({
      name: required(text({ max: 100 })),
      phase: required(oneOf('observe', 'guard')),
      wrap: required(callback()),
    }),
  ),
  maxReconnects: custom(
    'a whole number from 0, or Infinity',
    (value) => value === Infinity || (Number.isSafeInteger(value) && (value as number) >= 0),
  ),
  connectTimeoutMs: duration({ min: 1 }),
  stallMs: duration({ min: 1 }),
  clock,
}

/** What is used where `TransportOptions` say nothing. */
export const transportDefaults: Required<Omit<TransportOptions, 'clock' | 'codec' | 'publishUse'>> = {
  namespace: '',
  topology: 'create',
  sendTimeoutMs: 30_000,
  maxInFlight: 10_000,
  maxInFlightBytes: 64 * 1024 * 1024,
  whenFull: 'wait',
  maxReconnects: Infinity,
  connectTimeoutMs: 30_000,
  stallMs: 60_000,
}

/** The rules of `SendOptions`. */
export const sendRules: Readonly<Record<string, Rule>> = {
  timeoutMs: duration({ min: 1 }),
  signal: custom('an AbortSignal', (value) => value instanceof AbortSignal),
}
