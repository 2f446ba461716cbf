import { describe, expect, test } from 'vitest'
import type { ConsumeOptions } from '../contract/consume-options.ts'
import type { Middleware, MiddlewareFacts } from '../contract/middleware.ts'
import { memory } from '../memory.ts'
import { checkFacts } from './check-facts.ts'
import { consumeSettings } from './consume-settings.ts'
import { fixed } from './retry-delay.ts'

const middleware = (name: string, phase: Middleware['phase'], facts: MiddlewareFacts): Middleware => ({
  name,
  phase,
  facts,
  wrap: (next) => next,
})
const once = (deduplicationWindowMs: number): Middleware =>
  middleware('inbox', 'once', { deduplicationWindowMs })
const retry = (facts: MiddlewareFacts): Middleware => middleware('mine', 'retry', facts)

const check = (options: ConsumeOptions, ephemeral = false): void => {
  const where = 'consume("orders")'
  checkFacts(
    where,
    consumeSettings(where, () => {}, options, { ephemeral }),
    options,
  )
}

describe('a window in which repeated messages are recognised', () => {
  const waits = { maxAttempts: 3, retryDelay: fixed(1_000), handlerTimeoutMs: 100 }

  test('must last as long as the default policy may take', () => {
    check({ ...waits, use: [once(2_300)] })
    expect(() => check({ ...waits, use: [once(2_299)] })).toThrow(
      'consume("orders"): middleware "inbox" recognises a repeated message for 2299 ms, and the default retry policy may hand ' +
        'one out again 2300 ms later: 2000 ms of waits, 300 ms of 3 attempts of 100 ms each, 0 ms until a replay. ' +
        'Let "inbox" recognise it for as long, or lower the attempts, the waits, handlerTimeoutMs or the replayHorizonMs of the policy.',
    )
  })

  test('counts the jitter of waits', () => {
    // 1 + 2 + 4 + 8 s, twice at most, and five handlers of five minutes.
    check({ use: [once(30_000 + 1_500_000)] })
    expect(() => check({ use: [once(29_999 + 1_500_000)] })).toThrow('30000 ms of waits')
  })

  test('must last as long as the policy in use says, and until a replay', () => {
    const facts = { maxAttempts: 3, retrySpanMs: 5_000, replayHorizonMs: 86_400_000 }
    const use = (windowMs: number): Middleware[] => [once(windowMs), retry(facts)]
    check({ handlerTimeoutMs: 100, use: use(86_405_300) })
    expect(() => check({ handlerTimeoutMs: 100, use: use(86_405_299) })).toThrow(
      'retry policy "mine" may hand one out again 86405300 ms later',
    )
  })

  test.each<[string, ConsumeOptions, boolean]>([
    ['a policy that does not say', { use: [once(1), retry({ maxAttempts: 3 })] }, false],
    ['a delay that is none', { use: [once(1)], retryDelay: () => Number.NaN }, false],
    [
      'a delay that throws',
      {
        use: [once(1)],
        retryDelay: () => {
          throw new Error('no')
        },
      },
      false,
    ],
    ['messages that come once', { use: [once(1)] }, true],
  ])('is not judged with %s', (_, options, ephemeral) => {
    expect(() => check(options, ephemeral)).not.toThrow()
  })
})

describe('a limit of deliveries', () => {
  test('must leave room for the attempts, where both are named', () => {
    check({ maxAttempts: 5, maxDeliveries: 5 })
    expect(() => check({ maxAttempts: 5, maxDeliveries: 4 })).toThrow(
      'consume("orders").maxDeliveries is 4, and the default retry policy makes 5 attempts',
    )
    expect(() => check({ use: [retry({ maxAttempts: 5 })], maxDeliveries: 4 })).toThrow(
      'retry policy "mine" makes 5 attempts',
    )
  })

  test('alone may be lower than the default of attempts', () => {
    expect(() => check({ maxDeliveries: 2 })).not.toThrow()
    expect(() => check({ maxDeliveries: 2, use: [retry({})] })).not.toThrow()
  })
})

test('a consumer is refused before anything is declared', async () => {
  const transport = await memory()
  const refused = transport.consume('orders', () => {}, { maxAttempts: 5, maxDeliveries: 4 })
  await expect(refused).rejects.toMatchObject({ code: 'POSTHORN_INVALID_OPTION' })
  const subscribed = transport.subscribe('shop', () => {}, { group: 'billing', use: [once(1)] })
  await expect(subscribed).rejects.toThrow('subscribe("shop"): middleware "inbox"')
  const plan = await transport.plan({ queues: [{ name: 'orders' }], topics: [{ name: 'shop' }] })
  expect(new Set(plan.map(({ action }) => action))).toEqual(new Set(['create']))
  await transport.close()
})
