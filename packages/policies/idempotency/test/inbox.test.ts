import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test, vi } from 'vitest'
import {
  createInbox,
  createRelay,
  type InboxContext,
  type InboxOptions,
  type TransactionalInbox,
} from '@posthorn/idempotency'
import { memoryStore } from '@posthorn/store/memory'
import { sqliteStore, sqliteTransactions, type SqliteDatabase } from '@posthorn/store/sqlite'
import { memory } from '@posthorn/transport/memory'
import { createVirtualClock, type VirtualClock } from '@posthorn/transport/testing'
import { openSqlite, type SqliteBench } from './sqlite-bench.ts'
import type { Message, Transport } from '@posthorn/transport'

type Tx = InboxContext<SqliteDatabase>

const charge = ({ id }: Message, { transaction }: Tx): void => {
  transaction.prepare('INSERT INTO charges (id) VALUES (?)').run(id)
}

interface Bench extends AsyncDisposable {
  readonly clock: VirtualClock
  readonly shop: SqliteBench
  readonly transport: Transport
  readonly inbox: TransactionalInbox<SqliteDatabase>
}

async function start(options: Partial<InboxOptions<SqliteDatabase>> = {}): Promise<Bench> {
  const clock = createVirtualClock()
  const shop = await openSqlite()
  const transport = await memory({ clock })
  const inbox = createInbox({ store: shop.store, transaction: shop.transaction, clock, ...options })
  return {
    clock,
    shop,
    transport,
    inbox,
    async [Symbol.asyncDispose]() {
      await transport.close()
      await shop[Symbol.asyncDispose]()
    },
  }
}

const toSend = (id: string, key?: string) => ({
  id,
  body: JSON.stringify({ kind: 'send', to: 'orders', message: { id, data: 1 } }),
  key,
})

const patience = { timeout: 20_000, interval: 20 }

describe('the inbox', () => {
  test('commits the effect, the record and the outputs together, once', async () => {
    const repeated: string[] = []
    await using bench = await start({
      onRepetition: ({ id }, { source }) => repeated.push(`${source}/${id}`),
    })
    const { clock, shop, transport, inbox } = bench
    await transport.consume(
      'orders',
      inbox.handler(async (message, context) => {
        charge(message, context)
        await context.send('receipts', { data: { for: message.id } })
        await context.publish('events', { type: 'order.paid', data: message.id, key: 'customer-1' })
      }),
    )
    for (let time = 0; time < 3; time += 1) await transport.send('orders', { data: 1, id: 'order-1' })
    await clock.advance(5_000)
    expect(shop.charges()).toEqual(['order-1'])
    expect(repeated).toEqual(['orders/order-1', 'orders/order-1'])
    expect(await shop.store.outbox.depth()).toMatchObject({ waiting: 2 })
    expect(await transport.depth('orders')).toMatchObject({ ready: 0, inFlight: 0, deadLettered: 0 })

    const sent: Message[] = []
    await transport.consume('receipts', (message) => void sent.push(message))
    await transport.subscribe('events', (message) => void sent.push(message), { group: 'mail' })
    const relay = createRelay(shop.store, transport)
    await clock.advance(5_000)
    await relay.stop()
    expect(relay.sent).toBe(2)
    expect(sent.map(({ type, data, causationId, key }) => ({ type, data, causationId, key }))).toEqual([
      { type: 'receipts', data: { for: 'order-1' }, causationId: 'order-1', key: undefined },
      { type: 'order.paid', data: 'order-1', causationId: 'order-1', key: 'customer-1' },
    ])
    expect(await shop.store.outbox.depth()).toMatchObject({ waiting: 0 })
  })

  test.each([
    ['a throw', () => Promise.reject(new Error('declined')), { delayed: 1 }],
    ['a retry', (context: Tx) => context.retry({ delayMs: 60_000 }), { delayed: 1 }],
    ['a release', (context: Tx) => context.release({ delayMs: 60_000 }), { delayed: 1 }],
    ['a dead letter', (context: Tx) => context.deadLetter({ reason: 'no' }), { deadLettered: 1 }],
  ])('rolls everything back on %s', async (_, answer, depth) => {
    await using bench = await start()
    const { clock, shop, transport, inbox } = bench
    await transport.consume(
      'orders',
      inbox.handler(async (message, context) => {
        charge(message, context)
        await context.send('receipts', { data: 1 })
        return answer(context)
      }),
      { retryDelay: () => 60_000 },
    )
    await transport.send('orders', { data: 1, id: 'order-1' })
    await clock.advance(5_000)
    expect(shop.charges()).toEqual([])
    expect(await shop.store.outbox.depth()).toMatchObject({ waiting: 0 })
    expect(await transport.depth('orders')).toMatchObject(depth)
  })

  test('commits any number of outputs, and refuses what a handler sends after its end', async () => {
    await using bench = await start()
    const { clock, shop, transport, inbox } = bench
    let late = (): Promise<void> => Promise.resolve()
    await transport.consume(
      'orders',
      inbox.handler(async (_, context) => {
        for (let n = 0; n < 1_500; n += 1) await context.send('receipts', { data: n })
        late = () => context.send('receipts', { data: 'late' })
      }),
    )
    await transport.send('orders', { data: 1 })
    await clock.advance(1_000)
    expect(await shop.store.outbox.depth()).toMatchObject({ waiting: 1_500 })
    await expect(late()).rejects.toMatchObject({ code: 'POSTHORN_CLOSED', outcome: 'rejected' })
  })

  test('does not commit for a handler whose time is over', async () => {
    await using bench = await start()
    const { clock, shop, transport, inbox } = bench
    let attempts = 0
    await transport.consume(
      'orders',
      inbox.handler(async (message, context) => {
        attempts += 1
        charge(message, context)
        if (attempts === 1) await new Promise<void>((resolve) => void clock.setTimer(resolve, 10_000))
      }),
      { handlerTimeoutMs: 1_000, retryDelay: () => 20_000 },
    )
    await transport.send('orders', { data: 1, id: 'order-1' })
    await clock.advance(15_000)
    expect(shop.charges()).toEqual([])
    await clock.advance(30_000)
    expect([attempts, shop.charges()]).toEqual([2, ['order-1']])
  })

  test('spends no attempt while the database is away', async () => {
    await using bench = await start()
    const { clock, shop, transport, inbox } = bench
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const attempts: number[] = []
    await transport.consume(
      'orders',
      inbox.handler((_, { attempt }) => void attempts.push(attempt)),
    )
    shop.away(true)
    await transport.send('orders', { data: 1 })
    await clock.advance(60_000)
    shop.away(false)
    await clock.advance(60_000)
    expect(attempts).toEqual([1])
    expect(warned.mock.calls).toEqual([[expect.objectContaining({ message: 'the database is away' })]])
    warned.mockRestore()
  })

  test('dead-letters what has no key, whatever the function of the message throws', async () => {
    await using bench = await start({
      key: ({ id, data }) => (id === 'none' ? undefined : (data as { order: string }).order.trim()),
    })
    const { clock, transport, inbox } = bench
    const reasons: string[] = []
    transport.on('deadLettered', ({ id, reason }) => reasons.push(`${id} ${reason}`))
    await transport.consume(
      'orders',
      inbox.handler(() => undefined),
    )
    for (const id of ['none', 'throws']) await transport.send('orders', { data: {}, id })
    await clock.advance(5_000)
    expect(reasons.toSorted()).toEqual(['none no-idempotency-key', 'throws no-idempotency-key'])
  })

  test('spends attempts on a handler that uses the store beside its transaction', async () => {
    const clock = createVirtualClock()
    const database = new DatabaseSync(':memory:')
    const store = sqliteStore(database)
    await store.migrate()
    const transport = await memory({ clock })
    const inbox = createInbox({ store, transaction: sqliteTransactions(database), clock })
    const errors: unknown[] = []
    transport.on('deadLettered', ({ error }) => errors.push(error))
    await transport.consume(
      'orders',
      inbox.handler(async () => store.outbox.append([toSend('x')])),
    )
    await transport.send('orders', { data: 1 })
    await clock.advance(600_000)
    expect(errors).toMatchObject([{ code: 'POSTHORN_TRANSACTION_OPEN' }])
    await transport.close()
    database.close()
  })

  test('dead-letters another body under the same key, and answers a repetition with the result', async () => {
    await using bench = await start({ storeResults: true })
    const { clock, transport, inbox } = bench
    const answers: unknown[] = []
    await transport.consume(
      'orders',
      inbox.handler(() => ({ receipt: 7 })),
      {
        use: [
          {
            name: 'watch',
            phase: 'observe',
            wrap: (next) => async (message, context) => {
              const settlement = await next(message, context)
              answers.push(settlement.verb === 'ack' ? settlement.value : settlement.verb)
              return settlement
            },
          },
        ],
      },
    )
    await transport.send('orders', { data: 1, id: 'order-1' })
    await clock.advance(1_000)
    await transport.send('orders', { data: 1, id: 'order-1' })
    await transport.send('orders', { data: 2, id: 'order-1' })
    await clock.advance(1_000)
    expect(answers).toEqual([{ receipt: 7 }, { receipt: 7 }, 'deadLetter'])
  })

  test('refuses a store without transactions, naming what to use, and options that cannot work', async () => {
    await using shop = await openSqlite()
    expect(() => createInbox({ store: memoryStore(), transaction: shop.transaction as never })).toThrow(
      'sqlite',
    )
    expect(() => createInbox({ store: shop.store } as never)).toThrow('createInbox().transaction')
  })
})

describe('the relay', () => {
  test('sends what could not be sent later, in order by key, each under one id', async () => {
    await using bench = await start()
    const { clock, shop, transport, inbox } = bench
    await transport.consume(
      'orders',
      inbox.handler(async (message, context) => {
        for (const step of ['packed', 'sent', 'delivered'])
          await context.send('steps', { data: `${message.id} ${step}`, key: message.id })
      }),
    )
    await transport.sendMany('orders', [
      { data: 1, id: 'a' },
      { data: 1, id: 'b' },
    ])
    await clock.advance(5_000)

    // Every second send is stored, and its confirmation never arrives.
    let sends = 0
    const failures: unknown[] = []
    const flaky = new Proxy(transport, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        if (name !== 'send') return value.bind(target) as unknown
        return async (...given: Parameters<typeof transport.send>) => {
          await transport.send(...given)
          if ((sends += 1) % 2 === 1) throw new Error('no confirmation')
        }
      },
    })
    const arrived: string[] = []
    const ids = new Map<string, Set<string>>()
    await transport.consume(
      'steps',
      ({ id, data }) => {
        const step = String(data)
        ids.set(step, (ids.get(step) ?? new Set()).add(id))
        if (!arrived.includes(step)) arrived.push(step)
      },
      { concurrency: 1 },
    )
    const relay = createRelay(shop.store, flaky, { onFailure: (error) => failures.push(error), pollMs: 10 })
    // The outbox goes by the database's clock.
    await vi.waitFor(async () => {
      await clock.advance(1_000)
      expect(await shop.store.outbox.depth()).toMatchObject({ waiting: 0 })
    }, patience)
    await clock.advance(1_000)
    await relay.stop()
    const of = (id: string): readonly string[] => arrived.filter((step) => step.startsWith(id))
    expect(of('a')).toEqual(['a packed', 'a sent', 'a delivered'])
    expect(of('b')).toEqual(['b packed', 'b sent', 'b delivered'])
    expect([...ids.values()].map(({ size }) => size)).toEqual([1, 1, 1, 1, 1, 1])
    expect(failures.length).toBeGreaterThan(3)
    expect(await shop.store.outbox.depth()).toMatchObject({ waiting: 0 })
    await transport.close()
    expect(clock.pending).toBe(0)
  })

  test('carries bytes, delays and times over, and looks at once when it is nudged', async () => {
    await using bench = await start()
    const { clock, shop, transport, inbox } = bench
    const relay = createRelay(shop.store, transport, { pollMs: 3_600_000 })
    await clock.advance(0)
    const startedAt = clock.now()
    await transport.consume(
      'orders',
      inbox.handler(async (_, context) => {
        await context.send('later', {
          data: new Uint8Array([1, 2]),
          delayMs: 30_000,
          expiresAt: new Date(startedAt + 60_000),
        })
      }),
    )
    const arrived: { data: unknown; at: number; expiresAt: number | undefined }[] = []
    await transport.consume('later', ({ data, expiresAt }) => {
      arrived.push({ data, at: clock.now() - startedAt, expiresAt })
    })
    await transport.send('orders', { data: 1 })
    await clock.advance(10_000)
    relay.nudge()
    await clock.advance(40_000)
    expect(arrived).toHaveLength(1)
    expect(arrived[0]).toMatchObject({ data: new Uint8Array([1, 2]), expiresAt: startedAt + 60_000 })
    expect(arrived[0]?.at).toBeGreaterThanOrEqual(30_000)
    expect(arrived[0]?.at).toBeLessThan(31_000)
    await relay.stop()
  })

  test('lets nothing wait for a message that cannot be sent', async () => {
    const clock = createVirtualClock()
    const store = memoryStore({ now: () => clock.now() })
    const transport = await memory({ clock })
    await store.outbox.append([{ id: 'x', body: 'not of ours' }])
    const failures: number[] = []
    const relay = createRelay(store, transport, { onFailure: () => failures.push(clock.now()) })
    await clock.advance(600_000)
    await store.outbox.append([toSend('y')])
    await clock.advance(3_000)
    expect(relay.sent).toBe(1)
    expect((failures.at(-1) ?? 0) - (failures.at(-2) ?? 0)).toBeGreaterThanOrEqual(30_000)
    await relay.stop()
    await transport.close()
  })

  test('warns the process of the first failure since something was sent, where it has nobody to tell', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const clock = createVirtualClock()
    const store = memoryStore({ now: () => clock.now() })
    const transport = await memory({ clock })
    const relay = createRelay(store, transport)
    await store.outbox.append([{ id: 'x', body: 'not of ours' }])
    await clock.advance(600_000)
    expect(warned).toHaveBeenCalledTimes(1)
    await store.outbox.append([toSend('y')])
    await clock.advance(60_000)
    expect(warned).toHaveBeenCalledTimes(2)
    expect(warned).toHaveBeenCalledWith(expect.objectContaining({ code: 'POSTHORN_INVALID_DATA' }))
    await relay.stop()
    await transport.close()
    warned.mockRestore()
  })

  test('sends each once, however long the sends of one key take together', async () => {
    const clock = createVirtualClock()
    const store = memoryStore({ now: () => clock.now() })
    const transport = await memory({ clock })
    const ids = ['a', 'b', 'c', 'd', 'e']
    await store.outbox.append(ids.map((id) => toSend(id, 'one')))
    const begun: unknown[] = []
    const slow = new Proxy(transport, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        if (name !== 'send') return value.bind(target) as unknown
        return async (...given: Parameters<typeof transport.send>) => {
          begun.push(given[1].id)
          await new Promise<void>((resolve) => void clock.setTimer(resolve, 10_000))
          return transport.send(...given)
        }
      },
    })
    const relays = [createRelay(store, slow), createRelay(store, slow)]
    await clock.advance(120_000)
    expect(begun).toEqual(ids)
    for (const relay of relays) await relay.stop()
    await transport.close()
  })

  test('looks again when it is nudged while it is at work', async () => {
    const clock = createVirtualClock()
    const inner = memoryStore({ now: () => clock.now() })
    const transport = await memory({ clock })
    await inner.outbox.append([toSend('a')])
    const { outbox } = inner
    let later = async (): Promise<void> => outbox.append([toSend('b')])
    const store = {
      ...inner,
      outbox: {
        ...outbox,
        async sent(ids: readonly string[]) {
          await outbox.sent(ids)
          await later()
          later = async () => undefined
          relay.nudge()
        },
      },
    }
    const relay = createRelay(store, transport, { pollMs: 3_600_000 })
    await clock.advance(1_000)
    expect(relay.sent).toBe(2)
    await relay.stop()
    await transport.close()
  })

  test('waits when nothing can be sent, bears what its listener throws, and ends with its transport', async () => {
    await using bench = await start()
    const { clock, shop, transport } = bench
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const { outbox } = shop.store
    const row = (id: number): { id: string; body: string } => ({ id: `${id}`, body: 'not of ours' })
    await outbox.append(Array.from({ length: 30 }, (_, id) => row(id)))
    let claims = 0
    const counted = {
      ...shop.store,
      outbox: {
        ...outbox,
        claim: (query: Parameters<typeof outbox.claim>[0]) => {
          claims += 1
          return outbox.claim(query)
        },
        release: outbox.release.bind(outbox),
      },
    }
    createRelay(counted, transport, {
      batch: 10,
      onFailure: () => {
        throw new Error('mine')
      },
    })
    await vi.waitFor(async () => {
      await clock.advance(0)
      expect(warned.mock.calls.length).toBe(10)
    }, patience)
    await clock.advance(500)
    expect(claims).toBe(1)
    await transport.close()
    await vi.waitFor(async () => {
      await clock.advance(0)
      expect(clock.pending).toBe(0)
    }, patience)
    warned.mockRestore()
  })

  test('goes on when its database comes back, and refuses options that cannot work', async () => {
    await using bench = await start()
    const { clock, shop, transport } = bench
    const failures: unknown[] = []
    let isAway = true
    const { outbox } = shop.store
    const store = {
      ...shop.store,
      outbox: {
        ...outbox,
        claim: (query: Parameters<typeof outbox.claim>[0]) =>
          isAway ? Promise.reject(new Error('away')) : outbox.claim(query),
        sent: outbox.sent.bind(outbox),
        release: outbox.release.bind(outbox),
      },
    }
    await outbox.append([toSend('x')])
    await outbox.append([{ id: 'y', body: 'not of ours' }])
    const relay = createRelay(store, transport, { onFailure: (error) => failures.push(error) })
    await clock.advance(10_000)
    expect(relay.sent).toBe(0)
    isAway = false
    await vi.waitFor(async () => {
      await clock.advance(10_000)
      expect(relay.sent).toBe(1)
    }, patience)
    // What cannot be read stays, and is told.
    expect(await outbox.depth()).toMatchObject({ waiting: 1 })
    expect(failures.at(-1)).toMatchObject({ code: 'POSTHORN_INVALID_DATA' })
    await relay.stop()
    expect(() => createRelay(shop.store, transport, { batch: 0 })).toThrow('createRelay().batch')
  })
})
