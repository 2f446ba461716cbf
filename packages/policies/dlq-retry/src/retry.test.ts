import fc from 'fast-check'
import type { Message, Middleware, Transport } from '@posthorn/transport'
import { createMemoryBroker } from '@posthorn/transport/memory'
import { createVirtualClock, type VirtualClock } from '@posthorn/transport/testing'
import { describe, expect, test, vi } from 'vitest'
import { retry, type RetryOptions } from './index.ts'

interface Attempts {
  readonly clock: VirtualClock
  readonly transport: Transport
  /** When each attempt began, from the first on. */
  readonly times: number[]
  readonly deadLetters: { readonly reason: string; readonly attempts: number; readonly error: unknown }[]
  readonly failed: string[]
}

/** Sends one message, and lets it fail as `fail` says until nothing more comes. */
async function attempts(
  options: RetryOptions,
  fail: (attempt: number, context: Parameters<Parameters<Transport['consume']>[1]>[1]) => unknown,
  { seed = 1, consumers = 1, type = 'order.created', broker: brokerOptions = {} } = {},
): Promise<Attempts> {
  const clock = createVirtualClock({ seed })
  const broker = createMemoryBroker({ clock, ...brokerOptions })
  const transport = await broker.connect()
  const times: number[] = []
  const policy = retry(options)
  const result: Attempts = { clock, transport, times, deadLetters: [], failed: [] }
  for (let index = 0; index < consumers; index++) {
    const one = index === 0 ? transport : await broker.connect()
    one.on('deadLettered', (event) => result.deadLetters.push(event))
    one.on('callbackFailed', ({ where, error }) => result.failed.push(`${where}: ${String(error)}`))
    await one.consume(
      'orders',
      (_: Message, context) => {
        times.push(clock.now())
        return fail(context.attempt, context)
      },
      { use: [policy] },
    )
  }
  await transport.send('orders', { data: 1, type })
  await clock.advance(3_600_000)
  return result
}

const waitsOf = (times: readonly number[]): number[] => times.slice(1).map((at, index) => at - times[index]!)
const throwing = (error: unknown = new Error('no')) => {
  return (): never => {
    throw error
  }
}

describe('retry() over a consumer', () => {
  test('tries on its schedule, then dead-letters', async () => {
    const { times, deadLetters } = await attempts(
      { maxAttempts: 4, backoff: { baseMs: 100, factor: 1.5 }, jitter: 'none' },
      throwing(),
    )
    expect(waitsOf(times)).toEqual([100, 150, 225])
    expect(deadLetters).toMatchObject([{ reason: 'attempts-exhausted', attempts: 4 }])
  })

  test('comes at the schedule plus jitter, never early, whatever the schedule is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          maxAttempts: fc.integer({ min: 1, max: 6 }),
          backoff: fc.record({
            baseMs: fc.integer({ min: 1, max: 10_000 }),
            factor: fc.double({ min: 1, max: 4, noNaN: true }),
          }),
          maxDelayMs: fc.integer({ min: 1, max: 100_000 }),
        }),
        fc.integer({ min: 0, max: 1e6 }),
        async (options, seed) => {
          const { times, deadLetters } = await attempts(options, throwing(), { seed })
          expect(times.length).toBe(options.maxAttempts)
          expect(deadLetters.length).toBe(1)
          for (const [index, wait] of waitsOf(times).entries()) {
            const scheduled = Math.min(
              options.maxDelayMs,
              options.backoff.baseMs * options.backoff.factor ** index,
            )
            expect(wait).toBeGreaterThanOrEqual(scheduled - 1e-6)
            expect(wait).toBeLessThanOrEqual(2 * Math.ceil(scheduled))
          }
        },
      ),
      { numRuns: 25 },
    )
  })

  test('six instances make as many attempts together as one would', async () => {
    const { times } = await attempts({ maxAttempts: 5 }, throwing(), { consumers: 6 })
    expect(times.length).toBe(5)
  })

  test('hands on what succeeds, promise or not', async () => {
    const plain = await attempts({}, () => 'done')
    const promised = await attempts({}, async () => 'done')
    expect([plain.times.length, promised.times.length, plain.deadLetters, promised.deadLetters]).toEqual([
      1,
      1,
      [],
      [],
    ])
  })

  test('dead-letters at once what a rule gives up on, with its reason', async () => {
    const error = new TypeError('bad card')
    const { times, deadLetters } = await attempts(
      { when: [{ errors: TypeError, retry: false, reason: 'declined' }] },
      async () => Promise.reject(error),
    )
    expect(times.length).toBe(1)
    expect(deadLetters).toMatchObject([{ reason: 'declined', attempts: 1, error }])
  })

  test('a rule may allow fewer or more attempts than the policy', async () => {
    const options: RetryOptions = {
      maxAttempts: 2,
      when: [
        { types: 'order.*', maxAttempts: 3 },
        { types: 'mail', maxAttempts: 1 },
      ],
    }
    const counts = await Promise.all(
      ['order.created', 'mail', 'other'].map(
        async (type) => (await attempts(options, throwing(), { type })).times.length,
      ),
    )
    expect(counts).toEqual([3, 1, 2])
  })

  test('waits as long as the error asks for', async () => {
    const error = Object.assign(new Error('slow down'), { retryAfterMs: 25_000 })
    const { times } = await attempts({ maxAttempts: 3, jitter: 'none' }, throwing(error))
    expect(waitsOf(times)).toEqual([25_000, 25_000])
  })

  test('keeps the wait that a handler chose, and fills in one that it left open', async () => {
    const { times } = await attempts({ maxAttempts: 3, backoff: 500, jitter: 'none' }, (attempt, context) =>
      attempt === 1 ? context.retry({ delayMs: 77 }) : context.retry(),
    )
    expect(waitsOf(times)).toEqual([77, 500])
  })

  test('begins no attempt later than allowed, counted from the first failure', async () => {
    const { times, deadLetters } = await attempts(
      { maxAttempts: 100, backoff: 1_000, jitter: 'none', maxElapsedMs: 4_500 },
      throwing(),
    )
    expect(waitsOf(times)).toEqual([1_000, 1_000, 1_000, 1_000])
    expect(deadLetters).toMatchObject([{ reason: 'time-exhausted', attempts: 5 }])
  })

  test('decides, too, about a handler that runs out of its time', async () => {
    const clock = createVirtualClock()
    const transport = await createMemoryBroker({ clock }).connect()
    const starts: number[] = []
    await transport.consume(
      'orders',
      (): Promise<void> => {
        starts.push(clock.now())
        return new Promise(() => {})
      },
      {
        handlerTimeoutMs: 1_000,
        use: [
          retry({
            when: [{ codes: 'POSTHORN_HANDLER_TIMEOUT', maxAttempts: 2, backoff: 7_000, jitter: 'none' }],
          }),
        ],
      },
    )
    await transport.send('orders', { data: 1 })
    await clock.advance(60_000)
    expect(waitsOf(starts)).toEqual([8_000])
    expect(await transport.deadLetters('orders').page()).toMatchObject({
      entries: [{ reason: 'attempts-exhausted', attempts: 2, error: { code: 'POSTHORN_HANDLER_TIMEOUT' } }],
    })
  })

  test('lets releases and dead letters of the handler pass', async () => {
    let calls = 0
    const { times, deadLetters } = await attempts({ maxAttempts: 1 }, (_, context) =>
      ++calls < 3 ? context.release({ delayMs: 10 }) : context.deadLetter({ reason: 'mine' }),
    )
    expect(times.length).toBe(3)
    expect(deadLetters).toMatchObject([{ reason: 'mine' }])
  })

  test('tells of a backoff that breaks later, and waits as the transport would', async () => {
    let waits = 5
    const { times, failed } = await attempts({ maxAttempts: 3, backoff: () => waits }, () => {
      waits = Number.NaN
      throw new Error('no')
    })
    expect(times.length).toBe(3)
    expect(waitsOf(times)[0]).toBeGreaterThanOrEqual(1_000)
    expect(failed[0]).toContain('retry of "orders"')
    expect(failed[0]).toContain('answered NaN')
  })

  test('spends no attempt, and dead-letters nothing, when the consumer is stopped', async () => {
    const clock = createVirtualClock()
    const broker = createMemoryBroker({ clock })
    const transport = await broker.connect()
    const deadLettered = vi.fn<() => void>()
    transport.on('deadLettered', deadLettered)
    const consumer = await transport.consume(
      'orders',
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new TypeError('aborted')))
        }),
      { use: [retry({ maxAttempts: 1, when: [{ errors: TypeError, retry: false }] })] },
    )
    await transport.send('orders', { data: 1 })
    await clock.advance(1)
    const stopped = consumer.stop({ deadlineMs: 100 })
    await clock.advance(10_000)
    expect((await stopped).unfinished.length).toBe(1)
    expect(deadLettered).not.toHaveBeenCalled()

    const attempt = vi.fn<(attempt: number) => void>()
    await transport.consume('orders', (_, context) => attempt(context.attempt))
    await clock.advance(10_000)
    expect(attempt.mock.calls).toEqual([[1]])
  })

  test('keeps a key in order while one of its messages is retried', async () => {
    const clock = createVirtualClock()
    const transport = await createMemoryBroker({ clock }).connect()
    const seen: string[] = []
    await transport.consume<string>(
      'orders',
      ({ data }, { attempt }) => {
        seen.push(`${data}${attempt}`)
        if (data === 'a' && attempt < 3) throw new Error('no')
      },
      { order: 'key', use: [retry({ maxAttempts: 3, backoff: 1_000 })] },
    )
    await transport.sendMany(
      'orders',
      ['a', 'b'].map((data) => ({ data, key: 'k' })),
    )
    await clock.advance(60_000)
    expect(seen).toEqual(['a1', 'a2', 'a3', 'b1'])
  })

  test('judges each message of a batch by itself', async () => {
    const clock = createVirtualClock()
    const transport = await createMemoryBroker({ clock }).connect()
    const calls: number[][] = []
    await transport.consume<number>(
      'orders',
      (messages, { contexts }) => {
        calls.push(messages.map(({ data }) => data))
        return messages.map(({ data }, index) => (data % 2 === 0 ? undefined : contexts[index]?.retry()))
      },
      { batch: { max: 4, waitMs: 1 }, use: [retry({ maxAttempts: 2, backoff: 1_000, jitter: 'none' })] },
    )
    await transport.sendMany(
      'orders',
      [1, 2, 3, 4].map((data) => ({ data })),
    )
    await clock.advance(10_000)
    expect(calls).toEqual([
      [1, 2, 3, 4],
      [1, 3],
    ])
    expect(await transport.deadLetters('orders').count()).toBe(2)
  })

  test('is refused beside middleware that recognises repeated messages for too short a time', async () => {
    const transport = await createMemoryBroker().connect()
    const once = (deduplicationWindowMs: number): Middleware => ({
      name: 'inbox',
      phase: 'once',
      facts: { deduplicationWindowMs },
      wrap: (next) => next,
    })
    const policy = retry({ maxAttempts: 2, backoff: 1_000, maxRetryAfterMs: 5_000, replayHorizonMs: 60_000 })
    const consume = (windowMs: number): Promise<unknown> =>
      transport.consume('orders', () => {}, { handlerTimeoutMs: 500, use: [policy, once(windowMs)] })
    await consume(67_000)
    await expect(consume(66_999)).rejects.toThrow(
      'retry policy "retry" may hand one out again 67000 ms later: 6000 ms of waits, 1000 ms of 2 attempts of 500 ms each, 60000 ms until a replay',
    )
    await transport.close()
  })

  test('is refused beside another policy', async () => {
    const transport = await createMemoryBroker().connect()
    const refused = transport.consume('orders', () => {}, { use: [retry()], maxAttempts: 3 })
    await expect(refused).rejects.toThrow('two retry policies: middleware "retry", and maxAttempts')
    await transport.close()
  })
})
