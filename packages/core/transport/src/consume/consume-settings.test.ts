import { describe, expect, test } from 'vitest'
import type { BatchConsumeOptions, ConsumeOptions } from '../contract/consume-options.ts'
import type { Middleware } from '../contract/middleware.ts'
import { consumeSettings } from './consume-settings.ts'

const settings = (
  options: ConsumeOptions & Partial<BatchConsumeOptions> = {},
  reading: { ephemeral?: boolean; from?: 'earliest' } = {},
): ReturnType<typeof consumeSettings> =>
  consumeSettings('consume("orders")', function handle() {}, options, { ephemeral: false, ...reading })

const retry = (maxAttempts?: number): Middleware => ({
  name: 'retry',
  phase: 'retry',
  wrap: (next) => next,
  ...(maxAttempts === undefined ? {} : { facts: { maxAttempts } }),
})

describe('consumeSettings', () => {
  test('fills in defaults', () => {
    expect(settings()).toMatchObject({
      concurrency: 10,
      batchMax: 1,
      prefetch: undefined,
      order: 'none',
      holdKey: false,
      maxAttempts: 5,
      maxDeliveries: 10,
      handlerTimeoutMs: 300_000,
      maxBytes: Infinity,
      name: 'handle',
      ephemeral: false,
    })
  })

  test.each([
    [{ maxAttempts: 20 }, 20, 40],
    [{ maxAttempts: 1 }, 1, 10],
    [{ use: [retry(30)] }, 30, 60],
    // A policy that does not say when it ends is only bounded by hand-outs.
    [{ use: [retry()] }, Infinity, 100],
    [{ maxDeliveries: 3 }, 5, 3],
  ])('takes the limits from %o', (options, maxAttempts, maxDeliveries) => {
    expect(settings(options)).toMatchObject({ maxAttempts, maxDeliveries })
  })

  test('holds a key while it is retried, unless it may be overtaken', () => {
    expect(settings({ order: 'key' }).holdKey).toBe(true)
    expect(settings({ order: 'key', whileRetrying: 'overtake' }).holdKey).toBe(false)
  })

  test('limits nothing where a message comes at most once', () => {
    expect(settings({}, { ephemeral: true })).toMatchObject({
      ephemeral: true,
      maxAttempts: Infinity,
      maxDeliveries: Infinity,
    })
  })

  test.each<[Parameters<typeof settings>, string]>([
    [[{ use: [retry(3)], maxAttempts: 3 }], 'has two retry policies: middleware "retry", and maxAttempts'],
    [
      [{ use: [retry(3)], retryDelay: () => 1 }],
      'has two retry policies: middleware "retry", and retryDelay',
    ],
    [[{ whileRetrying: 'overtake' }], "needs order: 'key'"],
    [[{ batch: { max: 2 }, order: 'key' }], 'has batch and order'],
    [
      [{ batch: { max: 2 }, use: [{ ...retry(), phase: 'once', facts: { transactional: true } }] }],
      'transactional middleware "retry"',
    ],
    [
      [{ concurrency: 3, batch: { max: 4 }, prefetch: 11 }],
      'prefetch is 11, so 12 messages could never be handled',
    ],
    [[{ maxAttempts: 3 }, { ephemeral: true }], 'maxAttempts has no meaning with ephemeral: true'],
    [[{}, { ephemeral: true, from: 'earliest' }], 'from says where a group starts'],
  ])('refuses %o', (given, message) => {
    expect(() => settings(...given)).toThrow(message)
  })

  test('refuses a handler that is none', () => {
    expect(() => consumeSettings('consume("orders")', 'handle', {}, { ephemeral: false })).toThrow(
      'takes a handler function, and got "handle"',
    )
  })
})
