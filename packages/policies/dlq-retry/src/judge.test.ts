import fc from 'fast-check'
import { PosthornError, type Message } from '@posthorn/transport'
import { describe, expect, test } from 'vitest'
import { judge, type Failure, type Verdict } from './judge.ts'
import type { RetryOptions } from './retry-options.ts'
import { retrySettings } from './retry-settings.ts'

class CardDeclined extends Error {}
class Fraud extends CardDeclined {}

const now = 1_000_000

function verdict(options: RetryOptions, failure: Partial<Failure>, random = 0): Verdict {
  const host = {
    now,
    random: () => random,
    report: (error: unknown): void => {
      throw error
    },
  }
  const given = { error: new Error('x'), attempt: 1, firstFailedAt: undefined, type: 'order.created' }
  return judge(retrySettings(options), { message: undefined, ...given, ...failure }, host)
}

const again = (delayMs: number): Verdict => ({ again: true, delayMs })
const gone = (reason: string): Verdict => ({ again: false, reason })

describe('the policy', () => {
  test('tries again until its last attempt has failed', () => {
    expect(verdict({ maxAttempts: 2 }, { attempt: 1 })).toEqual(again(1_000))
    expect(verdict({ maxAttempts: 2 }, { attempt: 2 })).toEqual(gone('attempts-exhausted'))
    expect(verdict({ maxAttempts: 2 }, { attempt: 7 })).toEqual(gone('attempts-exhausted'))
  })

  test('gives up at once on an error of Posthorn that would come again, unless a rule says otherwise', () => {
    const error = new PosthornError('POSTHORN_INVALID_DATA', 'x')
    expect(verdict({}, { error })).toEqual(gone('not-retryable'))
    expect(verdict({ when: [{ codes: 'POSTHORN_INVALID_DATA' }] }, { error })).toEqual(again(1_000))
  })

  test('waits as long as an error asks for, up to a bound', () => {
    const error = Object.assign(new Error('x'), { retryAfterMs: 30_000 })
    expect(verdict({}, { error })).toEqual(again(30_000))
    expect(verdict({}, { error }, 0.5)).toEqual(again(30_500))
    expect(verdict({ maxRetryAfterMs: 29_999 }, { error })).toEqual(gone('retry-after-too-long'))
  })

  test('keeps the wait that a handler chose exactly', () => {
    const error = Object.assign(new Error('x'), { retryAfterMs: 30_000 })
    expect(verdict({ maxRetryAfterMs: 1 }, { error, chosenMs: 7_777 }, 0.9)).toEqual(again(7_777))
  })

  test('begins no attempt later than allowed, and cuts jitter for that, never the schedule', () => {
    const options = { backoff: 1_000, maxElapsedMs: 5_000 }
    const failedAt = (ago: number): Partial<Failure> => ({ attempt: 2, firstFailedAt: now - ago })
    expect(verdict(options, failedAt(3_000), 0.9)).toEqual(again(1_900))
    expect(verdict(options, failedAt(3_500), 0.9)).toEqual(again(1_500))
    expect(verdict(options, failedAt(4_000), 0.9)).toEqual(again(1_000))
    expect(verdict(options, failedAt(4_001), 0.9)).toEqual(gone('time-exhausted'))
  })

  test('never comes early, nor later than allowed, whatever its numbers are', () => {
    fc.assert(
      fc.property(
        fc.record({
          backoff: fc.integer({ min: 0, max: 100_000 }),
          maxElapsedMs: fc.integer({ min: 0, max: 1_000_000 }),
          maxAttempts: fc.integer({ min: 1, max: 10 }),
        }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 0, max: 1_000_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (options, attempt, ago, random) => {
          const answer = verdict(options, { attempt, firstFailedAt: now - ago }, random)
          const fits = attempt < options.maxAttempts && ago + options.backoff <= options.maxElapsedMs
          expect(answer.again).toBe(fits)
          if (!answer.again) return
          expect(answer.delayMs).toBeGreaterThanOrEqual(options.backoff)
          expect(answer.delayMs).toBeLessThanOrEqual(2 * options.backoff)
          expect(ago + answer.delayMs).toBeLessThanOrEqual(options.maxElapsedMs)
        },
      ),
    )
  })
})

describe('rules', () => {
  test.each<[string, RetryOptions, Partial<Failure>, Verdict]>([
    ['a type', { when: [{ types: 'order.created', retry: false }] }, {}, gone('not-retryable')],
    ['a pattern', { when: [{ types: ['a.b', 'order.#'], backoff: 7 }] }, {}, again(7)],
    ['another type', { when: [{ types: 'order', retry: false }] }, {}, again(1_000)],
    ['no type', { when: [{ types: '#', retry: false }] }, { type: undefined }, again(1_000)],
    [
      'a class',
      { when: [{ errors: CardDeclined, retry: false }] },
      { error: new Fraud() },
      gone('not-retryable'),
    ],
    [
      'another class',
      { when: [{ errors: [Fraud, TypeError], retry: false }] },
      { error: new CardDeclined() },
      again(1_000),
    ],
    [
      'the class of a cause',
      { when: [{ errors: Fraud, retry: false, reason: 'fraud' }] },
      { error: new Error('x', { cause: new Fraud() }) },
      gone('fraud'),
    ],
    [
      'a code',
      { when: [{ codes: ['E1', 404], retry: false }] },
      { error: { code: '404' } },
      gone('not-retryable'),
    ],
    ['no code', { when: [{ codes: 'undefined', retry: false }] }, { error: {} }, again(1_000)],
    [
      'a test',
      { when: [{ test: (error) => String(error) === 'Error: y', retry: false }] },
      { error: new Error('y') },
      gone('not-retryable'),
    ],
    ['all that is named', { when: [{ types: 'order.*', codes: 'E', retry: false }] }, {}, again(1_000)],
    ['everything', { when: [{ retry: false }] }, {}, gone('not-retryable')],
    ['the first that fits', { when: [{ backoff: 3 }, { backoff: 4 }] }, {}, again(3)],
    ['a fewer number of attempts', { when: [{ maxAttempts: 1 }] }, {}, gone('attempts-exhausted')],
    ['a greater number', { maxAttempts: 2, when: [{ maxAttempts: 9 }] }, { attempt: 8 }, again(60_000)],
    ['the rest of the policy', { backoff: 5, when: [{ maxAttempts: 9 }] }, { attempt: 8 }, again(5)],
  ])('fit %s', (_, options, failure, expected) => {
    expect(verdict(options, failure)).toEqual(expected)
  })

  test('bring their own jitter and bound with their own waits', () => {
    const base = { jitter: 'none', maxDelayMs: 10 } as const
    expect(verdict({ ...base, when: [{ backoff: 100 }] }, {}, 0.5)).toEqual(again(150))
    expect(verdict({ ...base, when: [{ maxAttempts: 9 }] }, {}, 0.5)).toEqual(again(10))
  })

  test('that throw do not fit, and are told of', () => {
    const reported: unknown[] = []
    const broken = new Error('broken test')
    const settings = retrySettings({
      when: [
        {
          test: () => {
            throw broken
          },
          retry: false,
        },
      ],
    })
    const failure = { error: 1, attempt: 1, firstFailedAt: undefined, type: 'a', message: undefined }
    const host = { now, random: () => 0, report: (error: unknown) => void reported.push(error) }
    expect(judge(settings, failure, host)).toEqual(again(1_000))
    expect(reported).toEqual([broken])
  })

  test('see the message', () => {
    const seen: unknown[] = []
    const message = { id: '1', data: { vip: true } } as unknown as Message
    verdict({ when: [{ test: (_, given) => seen.push(given) > 9 }] }, { message })
    expect(seen).toEqual([message])
  })
})
