import { formatMs } from './format-ms.ts'
import type { FailureRule } from './retry-options.ts'
import { largestSpanMs, leastSpanMs, scheduledSpanMs } from './retry-span.ts'
import type { RetryPolicy } from './retry.ts'
import { leastRandom, mostRandom, type Schedule } from './schedule.ts'

const shownWaits = 10

/** The policy for people: when each attempt comes, and how long all of them may take. Several lines. */
export function explain({ settings }: RetryPolicy): string {
  const { name, rules, schedule, maxRetryAfterMs } = settings
  return [
    `${name}: ${describe(schedule, maxRetryAfterMs)}`,
    ...rules.map(
      ({ given, schedule: own }) =>
        `when ${conditions(given)}: ` +
        (given.retry === false
          ? `no further attempt (${given.reason ?? 'not-retryable'})`
          : describe(own, maxRetryAfterMs)),
    ),
  ].join('\n')
}

function describe(schedule: Schedule, maxRetryAfterMs: number): string {
  const { maxAttempts, maxElapsedMs } = schedule
  if (maxAttempts === 1) return '1 attempt'
  const waits = Array.from({ length: Math.min(maxAttempts - 1, shownWaits) }, (_, index) => {
    const least = schedule.wait(index + 1, leastRandom).leastMs
    const most = schedule.wait(index + 1, mostRandom).jitteredMs
    return `  attempt ${index + 2}: after ${range(least, most)}`
  })
  const more = maxAttempts - 1 - shownWaits
  return [
    `at most ${maxAttempts} attempts` +
      (maxElapsedMs === Infinity
        ? ''
        : `, none later than ${formatMs(maxElapsedMs)} after the first failure`),
    ...waits,
    ...(more > 0 ? [`  and ${more} more`] : []),
    `  waits in all: ${range(leastSpanMs(schedule), scheduledSpanMs(schedule))}; ` +
      `at most ${formatMs(largestSpanMs(schedule, maxRetryAfterMs))} where errors ask for up to ${formatMs(maxRetryAfterMs)}`,
  ].join('\n')
}

function range(least: number, most: number): string {
  return least === most ? formatMs(least) : `${formatMs(least)} to ${formatMs(most)}`
}

function conditions({ types, errors, codes, test }: FailureRule): string {
  const parts = [
    types === undefined ? [] : [`the type is ${either(types)}`],
    errors === undefined ? [] : [`the error is a ${either([errors].flat().map((one) => one.name))}`],
    codes === undefined ? [] : [`its code is ${either(codes)}`],
    test === undefined ? [] : [`${test.name === 'test' ? 'a test' : test.name} says so`],
  ].flat()
  return parts.length === 0 ? 'anything fails' : parts.join(' and ')
}

function either(values: string | number | readonly (string | number)[]): string {
  return [values].flat().join(' or ')
}
