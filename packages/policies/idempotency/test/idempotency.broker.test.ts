import { Redis } from 'ioredis'
import { Pool, type PoolClient } from 'pg'
import { expect, test, vi } from 'vitest'
import { createInbox, createRelay, idempotency } from '@posthorn/idempotency'
import { postgresStore, postgresTransactions } from '@posthorn/store/postgres'
import { redisStore } from '@posthorn/store/redis'
import { tryStartPostgres, tryStartRedis } from '@posthorn/test-brokers'
import { memory } from '@posthorn/transport/memory'
import type { OutgoingMessage } from '@posthorn/transport'

const orders = 300
const patience = { timeout: 25_000, interval: 50 }

/** Each order three times, as after unknown outcomes. */
const tripled: readonly OutgoingMessage<number>[] = Array.from({ length: 3 * orders }, (_, index) => ({
  data: index % orders,
  id: `order-${index % orders}`,
}))

test('with claims in Redis, two consumers that get each order three times handle it once', async (context) => {
  const { server, reason } = await tryStartRedis()
  if (reason !== undefined) return context.skip(reason)
  const client = new Redis(server.url)
  const transports = await Promise.all([memory(), memory()])
  const handled: number[] = []
  try {
    for (const transport of transports) {
      const once = idempotency({ store: redisStore(client), leaseMs: 5_000 })
      await transport.consume<number>(
        'orders',
        async ({ data }) => {
          // Both have it at a time now and then.
          await new Promise(setImmediate)
          handled.push(data)
        },
        { use: [once], concurrency: 50 },
      )
    }
    await Promise.all(transports.map((transport) => transport.sendMany('orders', tripled)))
    for (const transport of transports) {
      await vi.waitFor(async () => {
        const { ready, delayed, inFlight, deadLettered } = await transport.depth('orders')
        expect({ ready, delayed, inFlight, deadLettered }).toEqual({
          ready: 0,
          delayed: 0,
          inFlight: 0,
          deadLettered: 0,
        })
      }, patience)
    }
    expect(handled.toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: orders }, (_, data) => data),
    )
  } finally {
    for (const transport of transports) await transport.close()
    client.disconnect()
    await server.stop()
  }
})

test('with an inbox in PostgreSQL, each order is charged once and its receipt sent, whoever dies', async (context) => {
  const { server, reason } = await tryStartPostgres()
  if (reason !== undefined) return context.skip(reason)
  const pool = new Pool({ connectionString: server.url, max: 10 })
  // Those that wait in the pool when the server is killed.
  pool.on('error', () => undefined)
  const store = postgresStore(pool)
  const transport = await memory()
  try {
    await store.migrate()
    await pool.query('CREATE TABLE charges (order_id integer NOT NULL)')
    const inbox = createInbox({ store, transaction: postgresTransactions<PoolClient>(pool) })
    await transport.consume<number>(
      'orders',
      inbox.handler<number>(async ({ data }, context) => {
        await context.transaction.query('INSERT INTO charges VALUES ($1)', [data])
        await context.send('receipts', { data, key: `customer-${data % 7}` })
      }),
      { concurrency: 20, maxAttempts: 100, retryDelay: () => 100 },
    )
    const receipts = new Map<string, number>()
    await transport.consume<number>('receipts', ({ id, data }) => void receipts.set(id, data))
    const relay = createRelay(store, transport, { pollMs: 50, leaseMs: 2_000, onFailure: () => undefined })
    await transport.sendMany('orders', tripled)
    await vi.waitFor(() => expect(receipts.size).toBeGreaterThan(20), patience)
    await server.kill()
    await server.restart()
    await vi.waitFor(async () => {
      const { ready, delayed, inFlight, deadLettered } = await transport.depth('orders')
      expect({ ready, delayed, inFlight, deadLettered }).toEqual({
        ready: 0,
        delayed: 0,
        inFlight: 0,
        deadLettered: 0,
      })
      expect(await store.outbox.depth()).toMatchObject({ waiting: 0 })
      expect(receipts.size).toBe(orders)
    }, patience)
    await relay.stop()
    const { rows } = await pool.query<{ order_id: number }>('SELECT order_id FROM charges ORDER BY order_id')
    expect(rows.map(({ order_id }) => order_id)).toEqual(Array.from({ length: orders }, (_, data) => data))
    expect([...receipts.values()].toSorted((one, other) => one - other)).toEqual(
      rows.map(({ order_id }) => order_id),
    )
  } finally {
    await transport.close()
    await pool.end()
    await server.stop()
  }
}, 60_000)
