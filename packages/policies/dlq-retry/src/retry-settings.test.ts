import { describe, expect, test } from 'vitest'
import type { RetryOptions } from './retry-options.ts'
import { retrySettings } from './retry-settings.ts'

describe('the options of retry()', () => {
  test.each<[unknown, string]>([
    [{ maxAttempts: 0 }, 'retry().maxAttempts'],
    [{ maxAttempts: Infinity }, 'retry().maxAttempts'],
    [{ backoff: -1 }, 'retry().backoff'],
    [{ backoff: [] }, 'retry().backoff'],
    [{ backoff: [1, Number.NaN] }, 'retry().backoff[1]'],
    [{ backoff: { factor: 0.5 } }, 'retry().backoff.factor'],
    [{ backoff: { base: 5 } }, 'Did you mean "baseMs"?'],
    [{ backoff: 'exponential' }, 'retry().backoff'],
    [{ jitter: 'equal' }, 'retry().jitter'],
    [{ maxDelayMs: Infinity }, 'retry().maxDelayMs'],
    [{ maxElapsedMs: -1 }, 'retry().maxElapsedMs'],
    [{ when: {} }, 'retry().when'],
    [{ when: [{ errors: () => true }] }, 'retry().when[0].errors'],
    [{ when: [{ errors: [] }] }, 'retry().when[0].errors'],
    [{ when: [{ types: '' }] }, 'retry().when[0].types'],
    [{ when: [{ code: 'E' }] }, 'Did you mean "codes"?'],
    [{ when: [{ retry: false, backoff: 5 }] }, 'retry().when[0] has retry: false and backoff'],
    [{ when: [{}, { reason: 'x' }] }, 'retry().when[1].reason'],
    [{ maxAttempt: 5 }, 'Did you mean "maxAttempts"?'],
    [{ clock: {} }, 'retry().clock'],
    [{ backoff: () => Number.NaN, messageLifetimeMs: 1_000 }, 'answered NaN after attempt 1'],
  ])('refuse %j', (options, named) => {
    expect(() => retrySettings(options as RetryOptions)).toThrow(named)
  })

  test('refuse a schedule that outlives the messages, also that of a rule', () => {
    const waits = { maxAttempts: 4, backoff: 10_000 }
    expect(() => retrySettings({ ...waits, messageLifetimeMs: 30_001 })).not.toThrow()
    expect(() => retrySettings({ ...waits, messageLifetimeMs: 30_000 })).toThrow(
      'plans 4 attempts over at least 30 s, and messages expire 30 s after they are made',
    )
    expect(() => retrySettings({ messageLifetimeMs: 30_000, when: [waits] })).toThrow('plans 4 attempts')
    expect(() => retrySettings({ ...waits, maxElapsedMs: 20_000, messageLifetimeMs: 30_000 })).not.toThrow()
  })
})
