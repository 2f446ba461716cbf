import { expect, test } from 'vitest'
import { explain, retry } from './index.ts'

class CardDeclined extends Error {}

test('explains when each attempt comes, and how long it may take', () => {
  const policy = retry({
    maxAttempts: 4,
    backoff: { baseMs: 500, factor: 1.5 },
    when: [
      { errors: CardDeclined, retry: false, reason: 'declined' },
      { types: ['mail.#', 'sms'], codes: 429, maxAttempts: 20, backoff: 60_000, maxElapsedMs: 600_000 },
      { test: (error) => error === 1, maxAttempts: 1 },
    ],
  })

  expect(explain(policy)).toBe(`retry: at most 4 attempts
  attempt 2: after 500 ms to 1 s
  attempt 3: after 750 ms to 1.5 s
  attempt 4: after 1.125 s to 2.25 s
  waits in all: 2.375 s to 4.75 s; at most 3 h 2.375 s where errors ask for up to 1 h
when the error is a CardDeclined: no further attempt (declined)
when the type is mail.# or sms and its code is 429: at most 20 attempts, none later than 10 min after the first failure
  attempt 2: after 1 min to 2 min
  attempt 3: after 1 min to 2 min
  attempt 4: after 1 min to 2 min
  attempt 5: after 1 min to 2 min
  attempt 6: after 1 min to 2 min
  attempt 7: after 1 min to 2 min
  attempt 8: after 1 min to 2 min
  attempt 9: after 1 min to 2 min
  attempt 10: after 1 min to 2 min
  attempt 11: after 1 min to 2 min
  and 9 more
  waits in all: 10 min; at most 10 min where errors ask for up to 1 h
when a test says so: 1 attempt`)
})

test('states the largest span, over all rules, as a fact for start-up checks', () => {
  const { facts } = retry({
    maxAttempts: 3,
    backoff: 1_000,
    maxRetryAfterMs: 5_000,
    when: [{ types: 'slow', maxAttempts: 5, backoff: 100_000, jitter: 'none' }],
  })
  expect(facts).toMatchObject({ maxAttempts: 5, retrySpanMs: 400_000, replayHorizonMs: 86_400_000 })
  expect(retry({ maxAttempts: 3, backoff: 1_000, maxRetryAfterMs: 5_000 }).facts).toMatchObject({
    maxAttempts: 3,
    retrySpanMs: 12_000,
  })
})
