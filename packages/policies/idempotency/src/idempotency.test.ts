import { describe, expect, test, vi } from 'vitest'
import { StoreError, type Claims, type Store } from '@posthorn/store'
import { memoryStore } from '@posthorn/store/memory'
import { memory } from '@posthorn/transport/memory'
import { createVirtualClock, type VirtualClock } from '@posthorn/transport/testing'
import { fenceOf } from './fence-of.ts'
import { idempotency } from './idempotency.ts'
import type { Context, Message, Middleware, Transport } from '@posthorn/transport'

interface Bench {
  readonly clock: VirtualClock
  readonly transport: Transport
  readonly store: Store
  /** While on, every call fails as when the database is away. */
  readonly away: (on: boolean) => void
  /** Calls of the store, by their names. */
  readonly calls: string[]
}

async function start(): Promise<Bench> {
  const clock = createVirtualClock()
  const inner = memoryStore({ now: () => clock.now() })
  let isAway = false
  const calls: string[] = []
  const guarded =
    <Given extends readonly unknown[], Result>(name: string, call: (...given: Given) => Promise<Result>) =>
    async (...given: Given): Promise<Result> => {
      calls.push(name)
      if (isAway) throw new StoreError('POSTHORN_STORE_FAILED', 'It is away.', { retryable: true })
      return call(...given)
    }
  const { claims } = inner
  const store: Store = {
    ...inner,
    now: guarded('now', () => inner.now()),
    claims: {
      claim: guarded('claim', (requests) => claims.claim(requests)),
      renew: guarded('renew', (requests) => claims.renew(requests)),
      complete: guarded('complete', (requests) => claims.complete(requests)),
      release: guarded('release', (requests) => claims.release(requests)),
    } satisfies Claims,
  }
  return {
    clock,
    transport: await memory({ clock }),
    store,
    calls,
    away(on) {
      isAway = on
    },
  }
}

describe('idempotency', () => {
  test('handles a message that comes again once, and acks it', async () => {
    const { clock, transport, store } = await start()
    const handled: unknown[] = []
    await transport.consume('orders', ({ data }) => void handled.push(data), {
      use: [idempotency({ store })],
    })
    for (let time = 0; time < 3; time += 1) await transport.send('orders', { data: 7, id: 'order-7' })
    await transport.send('orders', { data: 7, id: 'order-8' })
    await clock.advance(1_000)
    expect(handled).toEqual([7, 7])
    expect(await transport.depth('orders')).toMatchObject({ ready: 0, inFlight: 0, deadLettered: 0 })
    await transport.close()
  })

  test('tells of each repetition, and bears what that throws', async () => {
    const { clock, transport, store } = await start()
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const repeated: string[] = []
    const onRepetition = ({ id }: Message, { source }: Context): void => {
      repeated.push(`${source}/${id}`)
      throw new Error('mine')
    }
    await transport.consume('orders', () => undefined, { use: [idempotency({ store, onRepetition })] })
    for (let time = 0; time < 3; time += 1) await transport.send('orders', { data: 1, id: 'order-1' })
    await clock.advance(5_000)
    expect(repeated).toEqual(['orders/order-1', 'orders/order-1'])
    expect(warned).toHaveBeenCalledTimes(2)
    expect(await transport.depth('orders')).toMatchObject({ ready: 0, inFlight: 0 })
    warned.mockRestore()
    await transport.close()
  })

  test('never acks a duplicate before the first one is done', async () => {
    const { clock, transport, store } = await start()
    let end = (): void => undefined
    let calls = 0
    const work = (): Promise<void> => {
      calls += 1
      return new Promise<void>((resolve) => (end = resolve))
    }
    await transport.consume('orders', work, { use: [idempotency({ store })] })
    await transport.sendMany('orders', [
      { data: 7, id: 'order-7' },
      { data: 7, id: 'order-7' },
    ])
    await clock.advance(120_000)
    const { ready = 0, delayed = 0, inFlight = 0 } = await transport.depth('orders')
    expect([calls, ready + delayed + inFlight]).toEqual([1, 2])
    end()
    await clock.advance(10_000)
    expect(calls).toBe(1)
    expect(await transport.depth('orders')).toMatchObject({
      ready: 0,
      delayed: 0,
      inFlight: 0,
      deadLettered: 0,
    })
    await transport.close()
  })

  test.each([
    [true, { receipt: 7 }],
    [false, undefined],
  ])('answers a repetition with the first result where results are kept: %s', async (storeResults, again) => {
    const { clock, transport, store } = await start()
    const answers: unknown[] = []
    const watch: Middleware = {
      name: 'watch',
      phase: 'observe',
      wrap: (next) => async (message, context) => {
        const settlement = await next(message, context)
        if (settlement.verb === 'ack') answers.push([settlement.value, settlement.repeated])
        return settlement
      },
    }
    await transport.consume('orders', () => ({ receipt: 7 }), {
      use: [watch, idempotency({ store, storeResults })],
    })
    for (let time = 0; time < 2; time += 1) {
      await transport.send('orders', { data: 1, id: 'order-1' })
      await clock.advance(1_000)
    }
    expect(answers).toEqual([
      [{ receipt: 7 }, false],
      [again, true],
    ])
    await transport.close()
  })

  test('keeps each consumer apart: two groups both handle a message', async () => {
    const { clock, transport, store } = await start()
    const handled: string[] = []
    const use = [idempotency({ store })]
    for (const group of ['billing', 'mail'])
      await transport.subscribe('orders', (_, { source }) => void handled.push(source), { group, use })
    await transport.publish('orders', { data: 1, type: 'order.created' })
    await clock.advance(1_000)
    expect(handled.toSorted()).toEqual(['orders/billing', 'orders/mail'])
    await transport.close()
  })

  test('lets a failed attempt be made again, each with a higher fencing token', async () => {
    const { clock, transport, store } = await start()
    const seen: (number | undefined)[] = []
    await transport.consume(
      'orders',
      (_, context) => {
        seen.push(fenceOf(context))
        if (seen.length === 1) throw new Error('not yet')
        return seen.length === 2 ? context.release() : undefined
      },
      { use: [idempotency({ store })] },
    )
    await transport.send('orders', { data: 1 })
    await clock.advance(300_000)
    expect(seen).toHaveLength(3)
    expect(seen).toEqual(seen.toSorted((one, other) => Number(one) - Number(other)))
    expect(new Set(seen).size).toBe(3)
    await transport.close()
  })

  test('dead-letters a key that comes with another body, or asks what to do', async () => {
    const { clock, transport, store } = await start()
    await transport.consume('orders', () => undefined, { use: [idempotency({ store })] })
    await transport.send('orders', { data: { total: 1, to: 'a' }, id: 'order-7' })
    await clock.advance(100)
    await transport.send('orders', { data: { to: 'a', total: 1 }, id: 'order-7' })
    await transport.send('orders', { data: { total: 2, to: 'a' }, id: 'order-7' })
    await clock.advance(100)
    const { entries } = await transport.deadLetters('orders').page()
    expect(entries.map(({ reason, error }) => [reason, error?.code])).toEqual([
      ['idempotency-conflict', 'POSTHORN_KEY_CONFLICT'],
    ])
    await transport.consume('bills', () => undefined, {
      use: [
        idempotency({
          store,
          key: () => 'one',
          onConflict: (_, context) => context.release({ delayMs: 60_000 }),
        }),
      ],
    })
    await transport.sendMany('bills', [{ data: 1 }, { data: 2 }])
    await clock.advance(1_000)
    expect(await transport.depth('bills')).toMatchObject({ delayed: 1, deadLettered: 0 })
    await transport.close()
  })

  test('dead-letters what has no identity, rather than handle it twice', async () => {
    const { clock, transport, store } = await start()
    let calls = 0
    await transport.consume('orders', () => void (calls += 1), {
      use: [idempotency({ store, key: () => undefined })],
    })
    await transport.send('orders', { data: 1 })
    await clock.advance(100)
    const { entries } = await transport.deadLetters('orders').page()
    expect([calls, entries.map(({ error }) => error?.code)]).toEqual([0, ['POSTHORN_KEY_MISSING']])
    await transport.close()
  })

  test('dead-letters what no store can keep a record of, and goes on with all others', async () => {
    const { clock, transport, store, calls } = await start()
    const handled: string[] = []
    const reasons: string[] = []
    transport.on('deadLettered', ({ reason }) => reasons.push(reason))
    await transport.consume('orders', ({ id }) => void handled.push(id), {
      use: [idempotency({ store, key: ({ id }) => (id === 'bad' ? 'a\0b' : id) })],
    })
    await transport.sendMany('orders', [
      { data: 1, id: 'bad' },
      { data: 1, id: 'good' },
    ])
    await clock.advance(100)
    expect([handled, reasons]).toEqual([['good'], ['no-idempotency-key']])
    expect(calls).not.toContain('now')
    await transport.close()
  })

  test('stops the intake while the store is away: no effect, no attempt spent, and on it goes', async () => {
    const { clock, transport, store, away, calls } = await start()
    const attempts: number[] = []
    const consumer = await transport.consume('orders', (_, { attempt }) => void attempts.push(attempt), {
      use: [idempotency({ store })],
      concurrency: 3,
    })
    away(true)
    await transport.sendMany(
      'orders',
      Array.from({ length: 20 }, (_, data) => ({ data })),
    )
    await clock.advance(600_000)
    expect([attempts, consumer.health().state]).toEqual([[], 'paused'])
    expect(consumer.health().running + consumer.health().waiting).toBeLessThanOrEqual(3)
    // A few of the first, and probes that grow rarer.
    expect(calls.length).toBeLessThan(70)
    away(false)
    await clock.advance(60_000)
    expect(attempts).toEqual(Array.from({ length: 20 }, () => 1))
    expect(await transport.depth('orders')).toMatchObject({
      ready: 0,
      delayed: 0,
      inFlight: 0,
      deadLettered: 0,
    })
    await transport.close()
  })

  test('records what is done as soon as the store is back, before it is acked', async () => {
    const { clock, transport, store, away, calls } = await start()
    let handled = 0
    const handler = (): void => {
      handled += 1
      away(true)
    }
    await transport.consume('orders', handler, { use: [idempotency({ store })] })
    await transport.send('orders', { data: 1, id: 'order-1' })
    await clock.advance(90_000)
    expect(await transport.depth('orders')).toMatchObject({ inFlight: 1 })
    away(false)
    await clock.advance(30_000)
    expect(await transport.depth('orders')).toMatchObject({ ready: 0, inFlight: 0 })
    await transport.send('orders', { data: 1, id: 'order-1' })
    await clock.advance(30_000)
    expect(handled).toBe(1)
    expect(calls.filter((name) => name === 'complete').length).toBeGreaterThan(3)
    await transport.close()
  })

  test('records what is done when its time is over, too, and the store comes back within a lease', async () => {
    const { clock, transport, store, away } = await start()
    let handled = 0
    const handler = async (): Promise<void> => {
      handled += 1
      await new Promise<void>((resolve) => void clock.setTimer(resolve, 2_000))
      away(true)
    }
    const options = { use: [idempotency({ store })], handlerTimeoutMs: 1_000 }
    await transport.consume('orders', handler, options)
    await transport.send('orders', { data: 1, id: 'order-1' })
    await clock.advance(20_000)
    away(false)
    await clock.advance(300_000)
    expect(handled).toBe(1)
    expect(await transport.depth('orders')).toMatchObject({ ready: 0, delayed: 0, inFlight: 0 })
    await transport.close()
  })

  test('keeps its claim for as long as the handler runs', async () => {
    const { clock, transport, store } = await start()
    let running = 0
    let most = 0
    const handler = async (): Promise<void> => {
      most = Math.max(most, (running += 1))
      await new Promise<void>((resolve) => void clock.setTimer(resolve, 100_000))
      running -= 1
    }
    await transport.consume('orders', handler, { use: [idempotency({ store, leaseMs: 5_000 })] })
    await transport.sendMany('orders', [
      { data: 7, id: 'order-7' },
      { data: 7, id: 'order-7' },
    ])
    await clock.advance(200_000)
    expect([most, running]).toEqual([1, 0])
    expect(await transport.depth('orders')).toMatchObject({ ready: 0, delayed: 0, inFlight: 0 })
    await transport.close()
    expect(clock.pending).toBe(0)
  })

  test('keeps the claims of more handlers than a store renews at a time', async () => {
    const { clock, transport, store } = await start()
    const concurrency = 1_500
    let running = 0
    await transport.consume(
      'orders',
      () => {
        running += 1
        return new Promise<void>((resolve) => void clock.setTimer(resolve, 150_000))
      },
      { use: [idempotency({ store })], concurrency, handlerTimeoutMs: 300_000 },
    )
    const ids = Array.from({ length: concurrency }, (_, index) => `order-${index}`)
    await transport.sendMany(
      'orders',
      ids.map((id) => ({ data: 1, id })),
    )
    await clock.advance(100_000)
    const keys = [ids[0], ids.at(-1)].map((id) => `orders/${id}`)
    const others = keys.map((key) => ({ key, owner: 'another', leaseMs: 1_000 }))
    expect(running).toBe(concurrency)
    expect(await store.claims.claim(others)).toMatchObject([
      { status: 'inProgress' },
      { status: 'inProgress' },
    ])
    await clock.advance(100_000)
    await transport.close()
  })

  test('lets others have what a dead process had begun, when its lease is over', async () => {
    const { clock, transport, store } = await start()
    await store.claims.claim([{ key: 'orders/order-7', owner: 'dead', leaseMs: 60_000 }])
    let handledAt = 0
    const sentAt = clock.now()
    await transport.consume('orders', () => void (handledAt = clock.now()), { use: [idempotency({ store })] })
    await transport.send('orders', { data: 7, id: 'order-7' })
    await clock.advance(120_000)
    expect(handledAt - sentAt).toBeGreaterThanOrEqual(60_000)
    expect(handledAt - sentAt).toBeLessThan(70_000)
    await transport.close()
  })

  test('gives what was taken over meanwhile back, for whoever took it', async () => {
    const { clock, transport, store } = await start()
    let calls = 0
    const handler = async (): Promise<void> => {
      calls += 1
      if (calls > 1) return
      // As if this process had hung for longer than its lease.
      await store.claims.release([{ key: 'orders/order-7', fence: 1 }])
      await store.claims.claim([{ key: 'orders/order-7', owner: 'other', leaseMs: 10_000 }])
      await store.claims.complete([{ key: 'orders/order-7', fence: 2, retentionMs: 60_000 }])
    }
    await transport.consume('orders', handler, { use: [idempotency({ store })] })
    await transport.send('orders', { data: 7, id: 'order-7' })
    await clock.advance(30_000)
    expect(calls).toBe(1)
    expect(await transport.depth('orders')).toMatchObject({ ready: 0, delayed: 0, inFlight: 0 })
    await transport.close()
  })

  test('says for how long it recognises a repetition, and refuses options that cannot work', async () => {
    const { store } = await start()
    expect(idempotency({ store, retentionMs: 86_400_000 }).facts).toEqual({
      deduplicationWindowMs: 86_400_000,
    })
    expect(() => idempotency({} as never)).toThrow('idempotency().store')
    expect(() => idempotency({ store, leaseMs: 10 })).toThrow('idempotency().leaseMs')
    for (const owner of ['', 'a\0b', 'a\ud800'])
      expect(() => idempotency({ store, owner })).toThrow('idempotency().owner')
    expect(() => idempotency({ store, leaseMs: 1_000.5 })).toThrow('idempotency().leaseMs')
    expect(() => idempotency({ store, retentionMs: 1e12 })).toThrow('idempotency().retentionMs')
    expect(() => idempotency({ store, leasMs: 10 } as never)).toThrow('leaseMs')
  })
})

describe('run', () => {
  test('does a thing once and answers every repetition with its result', async () => {
    const { store, clock } = await start()
    const { run } = idempotency({ store, clock })
    let calls = 0
    const charge = (): Promise<{ receipt: number }> =>
      run('charge-1', { total: 5 }, () => ({ receipt: (calls += 1) }))
    expect([await charge(), await charge()]).toEqual([{ receipt: 1 }, { receipt: 1 }])
    expect(calls).toBe(1)
  })

  test('refuses another body, and whoever comes while it runs', async () => {
    const { store, clock } = await start()
    const { run } = idempotency({ store, clock, leaseMs: 9_000 })
    let end = (): void => undefined
    const first = run('charge-1', 5, () => new Promise<void>((resolve) => (end = resolve)))
    await expect(run('charge-1', 6, () => undefined)).rejects.toMatchObject({ code: 'POSTHORN_KEY_CONFLICT' })
    await expect(run('charge-1', 5, () => undefined)).rejects.toMatchObject({
      code: 'POSTHORN_IN_PROGRESS',
      retryable: true,
      message: expect.stringContaining('9000 ms'),
      // It may be done long before.
      retryAfterMs: 5_000,
    })
    end()
    await first
    expect(clock.pending).toBe(0)
  })

  test('frees the key when it fails, and not when only its record does', async () => {
    const { store, clock, away } = await start()
    const { run } = idempotency({ store, clock, leaseMs: 60_000 })
    await expect(run('a', 1, () => Promise.reject(new Error('declined')))).rejects.toThrow('declined')
    expect(await run('a', 1, () => 2)).toBe(2)

    const lost = run('b', 1, () => away(true))
    const told = lost.catch((error: unknown) => error)
    await clock.advance(30_000)
    expect(await told).toMatchObject({ code: 'POSTHORN_STORE_FAILED' })
    away(false)
    await expect(run('b', 1, () => 2)).rejects.toMatchObject({ code: 'POSTHORN_IN_PROGRESS' })
    await clock.advance(60_000)
    expect(await run('b', 1, () => 3)).toBe(3)
  })

  test('does nothing without a record', async () => {
    const { store, clock, away } = await start()
    away(true)
    let calls = 0
    await expect(idempotency({ store, clock }).run('a', 1, () => (calls += 1))).rejects.toMatchObject({
      code: 'POSTHORN_STORE_FAILED',
    })
    expect(calls).toBe(0)
  })
})
