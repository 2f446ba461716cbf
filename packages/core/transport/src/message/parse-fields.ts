import { cleanText } from './header-names.ts'

/** Reads a header or native property; `undefined` when it is not what it must be. */
export type Parse<Value> = (given: unknown) => Value | undefined

/** The last moment that a `Date` can be. */
const maxTime = 8_640_000_000_000_000
/** Far past what any message comes to. */
const maxCount = 1_000_000_000
const maxTextLength = 255
export const controlCharacter: RegExp = /\p{Cc}/u

export function parseText(given: unknown): string | undefined {
  return typeof given === 'string' && given.length <= maxTextLength && !controlCharacter.test(given)
    ? given
    : undefined
}

export function parseId(given: unknown): string | undefined {
  return given === '' ? undefined : parseText(given)
}

/** Keys of other senders may be long, or bytes read as text; they are only compared. */
export function parseKey(given: unknown): string | undefined {
  return typeof given === 'string' ? given : undefined
}

export function parseTime(given: unknown): number | undefined {
  return parseWhole(given, 0, maxTime)
}

export function parseAttempt(given: unknown): number | undefined {
  return parseWhole(given, 1, maxCount)
}

export function parseCount(given: unknown): number | undefined {
  return parseWhole(given, 0, maxCount)
}

/** Brokers with more levels than ours have the highest ones in our last. */
export function parsePriority(given: unknown): number | undefined {
  if (typeof given === 'string') return parseWhole(given, 0, 9)
  const level = parseWhole(given, 0, Number.MAX_SAFE_INTEGER)
  return level === undefined ? undefined : Math.min(level, 9)
}

export function parseFlag(given: unknown): boolean | undefined {
  if (given === true || given === 'true') return true
  return given === false || given === 'false' ? false : undefined
}

export function parseError(given: unknown): string | undefined {
  return typeof given === 'string' ? cleanText(given) : undefined
}

function parseWhole(given: unknown, min: number, max: number): number | undefined {
  const value = typeof given === 'string' && /^\d{1,16}$/.test(given) ? Number(given) : given
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
    ? value
    : undefined
}

/** Completes "it must be …". */
export const wanted: ReadonlyMap<Parse<unknown>, string> = new Map<Parse<unknown>, string>([
  [parseText, `at most ${maxTextLength} characters without control characters`],
  [parseId, `1 to ${maxTextLength} characters without control characters`],
  [parseKey, 'text'],
  [parseTime, 'whole milliseconds since 1970'],
  [parseAttempt, `a whole number from 1 to ${maxCount}`],
  [parseCount, `a whole number from 0 to ${maxCount}`],
  [parsePriority, 'a whole number from 0 to 9'],
  [parseFlag, 'true or false'],
  [parseError, 'text'],
])
