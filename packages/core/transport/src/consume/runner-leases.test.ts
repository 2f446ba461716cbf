import { describe, expect, test } from 'vitest'
import { createConsumeBench, createGate, recordEvents } from '../../test/consume-bench.ts'
import { fixed } from './retry-delay.ts'

const never = (): Promise<never> => new Promise(() => {})

describe('a lease', () => {
  test('that nobody renews for its whole length aborts the handler, before the broker can say so', async () => {
    const { clock, broker, open, close } = createConsumeBench({
      lease: { scope: 'delivery', durationMs: 3_000 },
    })
    const transport = await open({ name: 'one' })
    const events = recordEvents(transport)
    const signals: AbortSignal[] = []
    await transport.consume('orders', (_, { signal }) => {
      signals.push(signal)
      return never()
    })
    await transport.send('orders', { data: 1 })
    await clock.advance(10)
    broker.faults.interrupt('the cable is out', 'one')
    await clock.advance(2_500)
    expect(signals[0]?.aborted).toBe(false)
    await clock.advance(2_500)
    expect(signals[0]?.aborted).toBe(true)
    expect(signals[0]?.reason).toMatchObject({ code: 'POSTHORN_LEASE_LOST' })
    expect(events.of('leaseLost')).toHaveLength(1)
    broker.faults.interrupt(undefined, 'one')
    await close()
  })

  test('that was not renewed because the process was busy is asked for, not given up', async () => {
    const { clock, open, close } = createConsumeBench({ lease: { scope: 'delivery', durationMs: 3_000 } })
    let renewals = 0
    const transport = await open({
      wrap: {
        consumer: (consumer) => ({
          renew: (scope, deliveries) => {
            // Two of three fail: one a lease is enough.
            if (renewals++ % 3 !== 2) return Promise.resolve(deliveries.map(() => new Error('no') as never))
            return consumer.renew(scope, deliveries)
          },
        }),
      },
    })
    const gate = createGate()
    const events = recordEvents(transport)
    await transport.consume('orders', () => gate.opened)
    await transport.send('orders', { data: 1 })
    await clock.advance(2_900)
    expect(renewals).toBeGreaterThan(1)
    gate.open()
    await clock.advance(10)
    expect(events.of('leaseLost')).toEqual([])
    expect(await transport.depth('orders')).toMatchObject({ ready: 0, inFlight: 0 })
    await close()
  })

  test('of a session that would end under a handler ends the handler first', async () => {
    const { clock, open, close } = createConsumeBench({ lease: { scope: 'session', maxHoldMs: 10_000 } })
    const transport = await open()
    const events = recordEvents(transport)
    const gate = createGate()
    const seen: number[] = []
    await transport.consume(
      'orders',
      async ({ data }, { attempt }) => {
        seen.push(data as number)
        if (data === 1) return gate.opened
        if (attempt === 1) return never()
        return undefined
      },
      { concurrency: 1, prefetch: 2, retryDelay: fixed(60_000) },
    )
    await transport.sendMany('orders', [{ data: 1 }, { data: 2 }])
    await clock.advance(4_000)
    gate.open()
    await clock.advance(10)
    expect(seen).toEqual([1, 2])
    await clock.advance(5_600)
    expect(events.of('handlerTimedOut').map(({ source }) => source)).toEqual(['orders'])
    expect(events.of('retried')).toHaveLength(1)
    await clock.advance(10_000)
    expect(events.of('leaseLost')).toEqual([])
    await close()
  })

  test('of a session lets a held key go back at its half, though its handler began before', async () => {
    const { clock, broker, open, close } = createConsumeBench({
      lease: { scope: 'session', maxHoldMs: 10_000 },
    })
    const transport = await open()
    const events = recordEvents(transport)
    const attempts: [number, number][] = []
    const startedAt = clock.now()
    await transport.consume(
      'orders',
      async (_, { attempt }) => {
        attempts.push([attempt, clock.now() - startedAt])
        await new Promise<void>((resolve) => clock.setTimer(resolve, attempt === 1 ? 6_000 : 1_000))
        if (attempt < 3) throw new Error('no')
      },
      { order: 'key', retryDelay: fixed(15_000) },
    )
    await transport.send('orders', { data: 1, key: 'a' })
    await clock.advance(60_000)
    expect(attempts).toEqual([
      [1, 0],
      [2, 21_000],
      [3, 37_000],
    ])
    expect(events.of('leaseLost')).toEqual([])
    expect(broker.raw.messages('orders')).toEqual([])
    await close()
  })
})

describe('a lease of a session', () => {
  test('lets what is held past its half go back as soon as its handler has failed', async () => {
    const { clock, broker, open, close } = createConsumeBench({
      lease: { scope: 'session', maxHoldMs: 10_000 },
    })
    const transport = await open()
    const gate = createGate()
    await transport.consume(
      'orders',
      async () => {
        await gate.opened
        throw new Error('no')
      },
      { order: 'key', retryDelay: fixed(60_000) },
    )
    await transport.send('orders', { data: 1, key: 'a' })
    await clock.advance(6_000)
    gate.open()
    await clock.advance(10)
    expect(broker.raw.messages('orders').map(({ message }) => [message.attempt, message.releases])).toEqual([
      [2, 1],
    ])
    await close()
  })

  test('takes those of its key along, which would overtake it', async () => {
    const { clock, open, close } = createConsumeBench({ lease: { scope: 'session', maxHoldMs: 10_000 } })
    const transport = await open()
    const seen: string[] = []
    await transport.consume(
      'orders',
      ({ data }, { attempt }) => {
        seen.push(`${String(data)} ${attempt}`)
        if (data === 'a1' && attempt === 1) throw new Error('no')
      },
      { order: 'key', retryDelay: fixed(30_000) },
    )
    await transport.send('orders', { data: 'a1', key: 'a' })
    await clock.advance(3_000)
    await transport.send('orders', { data: 'a2', key: 'a' })
    await clock.advance(20_000)
    expect(seen).toEqual(['a1 1'])
    await clock.advance(10_000)
    expect(seen).toEqual(['a1 1', 'a1 2', 'a2 1'])
    await close()
  })
})

describe('what is lost', () => {
  test('is counted as abandoned when its handler hangs, and turns health down', async () => {
    const { clock, broker, open, close } = createConsumeBench()
    const transport = await open()
    const events = recordEvents(transport)
    const consumer = await transport.consume('orders', never, { concurrency: 1, handlerTimeoutMs: 5_000 })
    await transport.send('orders', { data: 1 })
    await clock.advance(10)
    broker.faults.cut()
    await clock.advance(4_000)
    expect(consumer.health()).toMatchObject({ state: 'up', running: 1, abandoned: 0 })
    await clock.advance(2_000)
    expect(consumer.health()).toMatchObject({ state: 'down', running: 1, abandoned: 1 })
    expect(events.of('handlerTimedOut')).toHaveLength(1)
    // Its outcome is not ours to record.
    expect(events.of('retried')).toEqual([])
    await close()
  })

  test('is not handled again when its handler ends after its time', async () => {
    const { clock, broker, open, close } = createConsumeBench({ lease: { scope: 'session' } })
    const transport = await open()
    const gate = createGate()
    const attempts: number[] = []
    await transport.consume(
      'orders',
      async (_, { attempt }) => {
        attempts.push(attempt)
        if (attempts.length === 1) await gate.opened
      },
      { order: 'key', handlerTimeoutMs: 1_000, retryDelay: fixed(1_000) },
    )
    await transport.send('orders', { data: 1, key: 'a' })
    await clock.advance(1_500)
    broker.faults.dropLeases('orders')
    await clock.advance(5_000)
    gate.open()
    await clock.advance(10)
    expect(attempts).toEqual([1, 2])
    expect(broker.raw.messages('orders')).toEqual([])
    await close()
  })

  test('leaves nothing behind once its handlers have ended', async () => {
    const { clock, broker, open, close } = createConsumeBench()
    const transport = await open()
    const gates = [createGate(), createGate()]
    let calls = 0
    const consumer = await transport.consume('orders', () => gates[calls++]?.opened)
    await transport.sendMany('orders', [{ data: 1 }, { data: 2 }])
    await clock.advance(10)
    broker.faults.cut()
    await clock.advance(1_000)
    for (const gate of gates) gate.open()
    await clock.advance(1_000)
    const { intake } = (
      consumer as unknown as { runner: { intake: { orphans: Set<unknown>; scopes: unknown[] } } }
    ).runner
    expect([intake.orphans.size, intake.scopes.length]).toEqual([0, 1])
    expect(consumer.health()).toMatchObject({ running: 0, waiting: 0, abandoned: 0 })
    await close()
  })
})

describe('what waits for a slot for half of its lease', () => {
  test('is given back, and is not taken again before a slot is free', async () => {
    const { clock, open, close } = createConsumeBench({ lease: { scope: 'delivery', durationMs: 3_000 } })
    const transport = await open()
    const gate = createGate()
    const seen: [unknown, number][] = []
    const consumer = await transport.consume(
      'orders',
      async ({ data }, { deliveries }) => {
        seen.push([data, deliveries])
        if (data === 0) await gate.opened
      },
      { concurrency: 1, prefetch: 4 },
    )
    await transport.sendMany(
      'orders',
      Array.from({ length: 4 }, (_, data) => ({ data })),
    )
    await clock.advance(60_000)
    expect(consumer.health()).toMatchObject({ running: 1, waiting: 0 })
    expect(await transport.depth('orders')).toMatchObject({ ready: 3, inFlight: 1 })
    gate.open()
    await clock.advance(10)
    expect(seen).toEqual([
      [0, 1],
      [1, 2],
      [2, 2],
      [3, 2],
    ])
    await close()
  })
})

describe('a revoked scope', () => {
  test('does not wait for a key whose handler fails while it is taken back', async () => {
    const { clock, broker, open, close } = createConsumeBench({ shards: 1 })
    const [one, other] = [await open(), await open()]
    const gate = createGate()
    const seen: string[] = []
    const options = { order: 'key', retryDelay: fixed(60_000), handlerTimeoutMs: 120_000 } as const
    await one.consume(
      'orders',
      async () => {
        await gate.opened
        throw new Error('no')
      },
      options,
    )
    await one.sendMany('orders', [
      { data: 'a1', key: 'a' },
      { data: 'a2', key: 'a' },
    ])
    await clock.advance(10)
    const events = recordEvents(one)
    broker.faults.revoke('orders')
    await clock.advance(10)
    gate.open()
    await clock.advance(10)
    expect(events.of('leaseLost')).toEqual([])
    expect(broker.raw.messages('orders').map(({ message }) => message.attempt)).toContain(2)
    await one.close()
    await other.consume('orders', ({ data }, { attempt }) => seen.push(`${String(data)} ${attempt}`), options)
    await clock.advance(70_000)
    expect(seen).toEqual(['a1 2', 'a2 1'])
    await close()
  })
})
