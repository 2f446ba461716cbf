import { leastRandom, mostRandom, type Schedule } from './schedule.ts'

/** From the first attempt to the last at least, of waiting alone. Milliseconds. */
export function leastSpanMs(schedule: Schedule): number {
  return sum(schedule, (attempt) => schedule.wait(attempt, leastRandom).leastMs)
}

/** From the first attempt to the last at most, of waiting alone. Milliseconds. */
export function scheduledSpanMs(schedule: Schedule): number {
  return sum(schedule, (attempt) => schedule.wait(attempt, mostRandom).jitteredMs)
}

/** The same when errors ask for waits of up to `maxRetryAfterMs` each time. */
export function largestSpanMs(schedule: Schedule, maxRetryAfterMs: number): number {
  return sum(schedule, (attempt) =>
    Math.max(
      schedule.wait(attempt, mostRandom).jitteredMs,
      schedule.wait(attempt, mostRandom, maxRetryAfterMs).jitteredMs,
    ),
  )
}

function sum(schedule: Schedule, waitAfter: (attempt: number) => number): number {
  let spanMs = 0
  for (let attempt = 1; attempt < schedule.maxAttempts && spanMs <= schedule.maxElapsedMs; attempt++)
    spanMs += waitAfter(attempt)
  return Math.min(spanMs, schedule.maxElapsedMs)
}
