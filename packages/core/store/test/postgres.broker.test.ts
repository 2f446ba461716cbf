import { Client, Pool, type PoolClient } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { postgresSchema, postgresStore, postgresTransactions } from '@posthorn/store/postgres'
import { tryStartPostgres, type TestServer } from '@posthorn/test-brokers'

let server: TestServer | undefined
let reason: string | undefined

beforeAll(async () => {
  ;({ server, reason } = await tryStartPostgres())
}, 180_000)

afterAll(async () => server?.stop())

const request = [{ key: 'order-1', owner: 'me', leaseMs: 60_000 }]

describe('PostgreSQL', () => {
  test('says what to do about tables that are missing', async (context) => {
    if (server === undefined) return context.skip(reason)
    const pool = new Pool({ connectionString: server.url })
    await expect(postgresStore(pool, { prefix: 'none_' }).claims.claim(request)).rejects.toMatchObject({
      code: 'POSTHORN_STORE_NOT_MIGRATED',
      message: expect.stringContaining('migrate()'),
    })
    await pool.end()
  })

  test('works on a schema that was made by hand, with one client', async (context) => {
    if (server === undefined) return context.skip(reason)
    const client = new Client(server.url)
    await client.connect()
    await client.query(postgresSchema('shop_'))
    await client.query(postgresSchema('shop_'))
    const store = postgresStore(client, { prefix: 'shop_' })
    await expect(store.claims.claim(request)).resolves.toMatchObject([{ status: 'claimed' }])
    await client.end()
  })

  test('is migrated by many processes at once', async (context) => {
    if (server === undefined) return context.skip(reason)
    const pool = new Pool({ connectionString: server.url, max: 8 })
    const stores = Array.from({ length: 8 }, () => postgresStore(pool, { prefix: 'together_' }))
    await Promise.all(stores.map(async (store) => store.migrate()))
    await expect(stores[0]!.claims.claim(request)).resolves.toMatchObject([{ status: 'claimed' }])
    await pool.end()
  })

  test('tells a transaction that cannot see a claim to begin again', async (context) => {
    if (server === undefined) return context.skip(reason)
    const pool = new Pool({ connectionString: server.url })
    const store = postgresStore(pool, { prefix: 'strict_' })
    await store.migrate()
    const transaction = await pool.connect()
    await transaction.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
    await transaction.query('SELECT 1')
    await store.claims.claim(request)
    await expect(store.in(transaction).claims.claim(request)).rejects.toMatchObject({
      code: 'POSTHORN_STORE_BUSY',
      retryable: true,
    })
    await transaction.query('ROLLBACK')
    transaction.release()
    await pool.end()
  })

  test('is a failure that may pass while the server is down', async (context) => {
    if (server === undefined || server.external) return context.skip(reason ?? 'the server is shared')
    const pool = new Pool({ connectionString: server.url })
    pool.on('error', () => undefined)
    const store = postgresStore(pool, { prefix: 'down_' })
    await store.migrate()
    await server.kill()
    await expect(store.claims.claim(request)).rejects.toMatchObject({
      code: 'POSTHORN_STORE_FAILED',
      retryable: true,
    })
    await server.restart()
    await expect(store.claims.claim(request)).resolves.toMatchObject([{ status: 'claimed' }])
    await pool.end()
  })
})

describe('transactions on a pool', () => {
  test('commit what has resolved, and roll back what has rejected', async (context) => {
    if (server === undefined) return context.skip(reason)
    const pool = new Pool({ connectionString: server.url, max: 2 })
    await pool.query('CREATE TABLE orders (id text PRIMARY KEY)')
    const transactions = postgresTransactions<PoolClient>(pool)
    const add = (id: string) => async (transaction: PoolClient) =>
      transaction.query('INSERT INTO orders VALUES ($1)', [id])
    await transactions(add('a'))
    const failing = transactions(async (transaction) => {
      await add('b')(transaction)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    const { rows } = await pool.query('SELECT id FROM orders')
    expect(rows).toEqual([{ id: 'a' }])
    expect(pool.idleCount).toBe(pool.totalCount)
    await pool.end()
  })

  test('say so when a failed statement has undone what the work took for done', async (context) => {
    if (server === undefined) return context.skip(reason)
    const pool = new Pool({ connectionString: server.url, max: 2 })
    const deceived = postgresTransactions(pool)(async (transaction) =>
      transaction.query('SELECT 1 / 0').catch(() => 'it went on'),
    )
    await expect(deceived).rejects.toMatchObject({
      code: 'POSTHORN_STORE_FAILED',
      message: expect.stringContaining('rolled back'),
    })
    await pool.end()
  })

  test('lend no connection again that was cut in the work', async (context) => {
    if (server === undefined) return context.skip(reason)
    const pool = new Pool({ connectionString: server.url, max: 1 })
    pool.on('error', () => undefined)
    const transactions = postgresTransactions<PoolClient>(pool)
    const cut = transactions(async (transaction) =>
      transaction.query('SELECT pg_terminate_backend(pg_backend_pid())'),
    )
    await expect(cut).rejects.toThrow('terminat')
    await expect(transactions(async (transaction) => transaction.query('SELECT 1'))).resolves.toMatchObject({
      rowCount: 1,
    })
    await pool.end()
  })
})
