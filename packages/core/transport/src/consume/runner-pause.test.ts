import { describe, expect, test } from 'vitest'
import type { Middleware, MiddlewareRuntime } from '../contract/middleware.ts'
import { createConsumeBench, createGate, recordEvents } from '../../test/consume-bench.ts'

/** Middleware that hands out its runtime. */
function spy(name = 'spy'): { middleware: Middleware; runtime: () => MiddlewareRuntime } {
  let held: MiddlewareRuntime | undefined
  return {
    middleware: {
      name,
      phase: 'guard',
      wrap: (next, runtime) => {
        held = runtime
        return next
      },
    },
    runtime: () => held as MiddlewareRuntime,
  }
}

describe('pausing', () => {
  test('by the holder and by middleware are told apart', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const { middleware, runtime } = spy()
    const seen: unknown[] = []
    const consumer = await transport.consume('orders', ({ data }) => seen.push(data), { use: [middleware] })
    runtime().pause(['fragile'])
    consumer.resume({ types: ['fragile'] })
    consumer.resume()
    await transport.send('orders', { data: 1, type: 'fragile' })
    await clock.advance(1_000)
    expect(seen).toEqual([])
    consumer.pause({ types: ['fragile'] })
    runtime().resume(['fragile'])
    await clock.advance(1_000)
    expect(seen).toEqual([])
    consumer.resume({ types: ['fragile'] })
    await clock.advance(1_000)
    expect(seen).toEqual([1])
    await close()
  })

  test('twice by the holder is ended by one resume', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const events = recordEvents(transport)
    const seen: unknown[] = []
    const consumer = await transport.consume('orders', ({ data }) => seen.push(data))
    consumer.pause({ types: ['a', 'b'] })
    consumer.pause({ types: ['b'] })
    consumer.pause()
    consumer.pause()
    await transport.sendMany('orders', [
      { data: 1, type: 'a' },
      { data: 2, type: 'b' },
    ])
    await clock.advance(100)
    consumer.resume()
    await clock.advance(100)
    expect(seen).toEqual([1, 2])
    expect(events.of('paused').map(({ types }) => types)).toEqual([['a', 'b'], undefined])
    expect(events.of('resumed').map(({ types }) => types)).toEqual([['a', 'b'], undefined])
    await close()
  })

  test('the whole source for one type ends when that type is resumed, and not before', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const events = recordEvents(transport)
    const { middleware, runtime } = spy('breaker')
    const seen: unknown[] = []
    await transport.consume('orders', ({ data }) => seen.push(data), { order: 'key', use: [middleware] })
    runtime().pause(['a', 'b'])
    runtime().resume(['a'])
    await transport.send('orders', { data: 1, type: 'c' })
    await clock.advance(1_000)
    expect(seen).toEqual([])
    runtime().resume(['b'])
    await clock.advance(1_000)
    expect(seen).toEqual([1])
    const reason = 'middleware "breaker" asked for it'
    expect(events.of('paused')).toEqual([{ source: 'orders', types: undefined, reason }])
    expect(events.of('resumed')).toEqual([{ source: 'orders', types: undefined }])
    await close()
  })

  test('leaves room for others though what was parked was lost with its connection', async () => {
    const { clock, broker, open, close } = createConsumeBench()
    const transport = await open()
    const { middleware, runtime } = spy()
    const consumer = await transport.consume('orders', () => undefined, {
      concurrency: 4,
      prefetch: 8,
      use: [middleware],
    })
    runtime().pause(['fragile'])
    await transport.sendMany(
      'orders',
      Array.from({ length: 4 }, (_, data) => ({ data, type: 'fragile' })),
    )
    await clock.advance(10)
    expect(consumer.health().waiting).toBe(4)
    const { parking } = (consumer as unknown as { runner: { custody: { parking: { size: number } } } }).runner
      .custody
    for (let round = 0; round < 3; round++) {
      broker.faults.cut()
      await clock.advance(30_000)
      expect([consumer.health().waiting, parking.size]).toEqual([4, 4])
    }
    consumer.pause()
    await clock.advance(10)
    expect([consumer.health().waiting, parking.size]).toEqual([0, 0])
    await close()
  })

  test('parks at most half of what one scope may hold', async () => {
    const { clock, open, close } = createConsumeBench({ flow: 'fixed', shards: 3 })
    const transport = await open()
    const seen: unknown[] = []
    const consumer = await transport.consume('orders', ({ data }) => seen.push(data), {
      concurrency: 6,
      prefetch: 6,
    })
    consumer.pause({ types: ['slow'] })
    const keys = ['a', 'b', 'c', 'd', 'e', 'f']
    await transport.sendMany(
      'orders',
      keys.flatMap((key) => [1, 2, 3].map((data) => ({ data, key, type: 'slow' }))),
    )
    await transport.sendMany(
      'orders',
      keys.map((key) => ({ data: key, key, type: 'fast' })),
    )
    await clock.advance(1_000)
    expect(seen.map(String).toSorted()).toEqual(keys)
    await close()
  })

  test('keeps what an ephemeral subscription got, which could not come again', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const settled: string[] = []
    const subscriber = await open({
      wrap: {
        consumer: (consumer) => ({
          settle: (scope, items) => {
            settled.push(...items.map(({ verb }) => verb))
            return consumer.settle(scope, items)
          },
        }),
      },
    })
    const gate = createGate()
    const seen: unknown[] = []
    const consumer = await subscriber.subscribe(
      'events',
      async ({ data }) => {
        seen.push(data)
        if (data === 1) await gate.opened
      },
      { ephemeral: true, concurrency: 1, prefetch: 3 },
    )
    await clock.advance(10)
    await transport.publishMany('events', [{ data: 1 }, { data: 2 }, { data: 3 }])
    await clock.advance(10)
    consumer.pause()
    gate.open()
    await clock.advance(60_000)
    expect(seen).toEqual([1])
    consumer.resume()
    await clock.advance(10)
    expect(seen).toEqual([1, 2, 3])
    expect(settled).toEqual(['ack', 'ack', 'ack'])
    await close()
  })

  test('and resuming again and again does not pile up what was given back', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const gate = createGate()
    const seen: unknown[] = []
    const consumer = await transport.consume(
      'orders',
      async ({ data }) => {
        seen.push(data)
        if (data === 0) await gate.opened
      },
      { order: 'key', concurrency: 1, prefetch: 5 },
    )
    await transport.sendMany(
      'orders',
      Array.from({ length: 10 }, (_, data) => ({ data, key: data < 5 ? 'a' : 'b' })),
    )
    await clock.advance(10)
    const { turns } = (consumer as unknown as { runner: { turns: { ready: number; behind: number } } }).runner
    for (let round = 0; round < 50; round++) {
      consumer.pause()
      await clock.advance(1)
      consumer.resume()
      await clock.advance(1)
      expect(turns.ready + turns.behind).toBeLessThanOrEqual(5)
    }
    gate.open()
    await clock.advance(100)
    expect(seen.filter((data) => (data as number) < 5)).toEqual([0, 1, 2, 3, 4])
    expect(seen).toHaveLength(10)
    await close()
  })

  test('refuses types that are none', async () => {
    const { open, close } = createConsumeBench()
    const transport = await open()
    const consumer = await transport.consume('orders', () => undefined)
    expect(() => consumer.pause({ types: 'fragile' as never })).toThrow(
      'pause() of "orders".types must be an array',
    )
    expect(() => consumer.resume({ type: ['fragile'] } as never)).toThrow('Did you mean "types"?')
    await close()
  })
})

describe('what middleware allows', () => {
  test('is how many handlers start, and little more is taken', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const { middleware, runtime } = spy()
    let seen = 0
    const consumer = await transport.consume('orders', () => seen++, { concurrency: 10, use: [middleware] })
    runtime().allow(3)
    await transport.sendMany(
      'orders',
      Array.from({ length: 20 }, (_, data) => ({ data })),
    )
    await clock.advance(60_000)
    expect(seen).toBe(3)
    expect(consumer.health()).toMatchObject({ state: 'up', running: 0, waiting: 0 })
    expect(await transport.depth('orders')).toMatchObject({ ready: 17, inFlight: 0 })
    runtime().allow(1)
    await clock.advance(10)
    expect(seen).toBe(4)
    runtime().allow(Infinity)
    await clock.advance(10)
    expect(seen).toBe(20)
    await close()
  })

  test('counts a retry as a start, and waits with it', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const { middleware, runtime } = spy()
    const attempts: number[] = []
    await transport.consume(
      'orders',
      (_, { attempt }) => {
        attempts.push(attempt)
        throw new Error('no')
      },
      { order: 'key', use: [middleware], retryDelay: () => 10 },
    )
    runtime().allow(2)
    await transport.send('orders', { data: 1, key: 'a' })
    await clock.advance(10_000)
    expect(attempts).toEqual([1, 2])
    runtime().allow(1)
    await clock.advance(10_000)
    expect(attempts).toEqual([1, 2, 3])
    await close()
  })

  test('is the least of what several allow', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const [one, other] = [spy('one'), spy('other')]
    let seen = 0
    await transport.consume('orders', () => seen++, { use: [one.middleware, other.middleware] })
    one.runtime().allow(5)
    other.runtime().allow(2)
    await transport.sendMany(
      'orders',
      Array.from({ length: 20 }, (_, data) => ({ data })),
    )
    await clock.advance(100)
    expect(seen).toBe(2)
    other.runtime().allow(Infinity)
    await clock.advance(100)
    expect(seen).toBe(5)
    await close()
  })

  test('holds back a suspect, too', async () => {
    const { clock, open, crashOn, close } = createConsumeBench()
    const transport = await open()
    await transport.send('orders', { data: 1 })
    await crashOn('orders', 2)
    const { middleware, runtime } = spy()
    let seen = 0
    const consumer = await transport.consume('orders', () => seen++, {
      use: [{ ...middleware, wrap: (next, held) => (held.allow(0), middleware.wrap(next, held)) }],
    })
    await clock.advance(1_000)
    expect(seen).toBe(0)
    expect(consumer.health().waiting).toBe(0)
    runtime().allow(1)
    await clock.advance(10)
    expect(seen).toBe(1)
    await close()
  })

  test('is a number', async () => {
    const { open, close } = createConsumeBench()
    const transport = await open()
    const { middleware, runtime } = spy('rate limit')
    await transport.consume('orders', () => undefined, { use: [middleware] })
    expect(() => runtime().allow(Number.NaN)).toThrow('middleware "rate limit" allows NaN starts')
    expect(() => runtime().allow(-1)).toThrow('Give a number from 0')
    await close()
  })
})
