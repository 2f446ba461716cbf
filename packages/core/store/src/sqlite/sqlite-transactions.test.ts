import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sqliteStore, sqliteTransactions } from '../sqlite.ts'

let database: DatabaseSync

beforeEach(() => {
  database = new DatabaseSync(':memory:')
  database.exec('CREATE TABLE orders (id TEXT PRIMARY KEY)')
})

afterEach(() => database.close())

const orders = (): unknown[] => database.prepare('SELECT id FROM orders ORDER BY id').all()
const add = (id: string): void => void database.prepare('INSERT INTO orders VALUES (?)').run(id)

test('commits what has resolved, and answers it', async () => {
  const transactions = sqliteTransactions(database)
  await expect(
    transactions(async () => {
      add('a')
      return 'added'
    }),
  ).resolves.toBe('added')
  expect(database.isTransaction).toBe(false)
  expect(orders()).toEqual([{ id: 'a' }])
})

test('rolls back what has rejected, with its own error', async () => {
  const transactions = sqliteTransactions(database)
  const error = new Error('no')
  const failing = transactions(async () => {
    add('a')
    throw error
  })
  await expect(failing).rejects.toBe(error)
  expect(orders()).toEqual([])
  await transactions(async () => add('b'))
  expect(orders()).toEqual([{ id: 'b' }])
})

test('runs one after the other on a connection, whoever asks for them', async () => {
  const told: string[] = []
  const work = (name: string) => async () => {
    told.push(`${name} begins`)
    await new Promise(setImmediate)
    told.push(`${name} ends`)
  }
  const [one, other] = [sqliteTransactions(database), sqliteTransactions(database)]
  await Promise.all([one(work('a')), other(work('b')), one(work('c'))])
  expect(told).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
})

test('lets what was begun in one, and goes on after it, wait like all others', async () => {
  const store = sqliteStore(database)
  await store.migrate()
  const transactions = sqliteTransactions(database)
  let goOn = (): void => undefined
  let later: Promise<void> | undefined
  await transactions(async () => {
    later = (async () => {
      await new Promise<void>((resolve) => (goOn = resolve))
      await store.outbox.append([{ id: 'a', body: 'x' }])
    })()
  })
  let end = (): void => undefined
  const other = transactions(async () => {
    add('b')
    goOn()
    await new Promise<void>((resolve) => (end = resolve))
  })
  await new Promise(setImmediate)
  end()
  await Promise.all([later, other])
  expect(orders()).toEqual([{ id: 'b' }])
  expect(await store.outbox.depth()).toMatchObject({ waiting: 1 })
})

test('is what a store joins', async () => {
  const store = sqliteStore(database)
  await store.migrate()
  const transactions = sqliteTransactions(database)
  const failing = transactions(async (transaction) => {
    await store.in(transaction).outbox.append([{ id: 'a', body: 'x' }])
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  await transactions(async (transaction) => {
    add('a')
    await store.in(transaction).outbox.append([{ id: 'b', body: 'x' }])
  })
  await expect(store.outbox.claim({ limit: 10, leaseMs: 1_000 })).resolves.toMatchObject({
    messages: [{ id: 'b' }],
  })
})

test('lets a store on the same connection do what is no part of them in between', async () => {
  const store = sqliteStore(database)
  await store.migrate()
  const transactions = sqliteTransactions(database)
  const paying = transactions(async (transaction) => {
    await store.in(transaction).outbox.append([{ id: 'a', body: 'x' }])
    await new Promise(setImmediate)
    throw new Error('no')
  })
  const appending = store.outbox.append([{ id: 'b', body: 'x' }])
  const looking = store.outbox.depth()
  await expect(paying).rejects.toThrow('no')
  await appending
  await expect(looking).resolves.toMatchObject({ waiting: 1 })
})

test('refuses what would wait for the transaction that it is called in', async () => {
  const store = sqliteStore(database)
  await store.migrate()
  const nested = sqliteTransactions(database)(async () => {
    await new Promise(setImmediate)
    await store.outbox.append([{ id: 'a', body: 'x' }])
  })
  await expect(nested).rejects.toMatchObject({ code: 'POSTHORN_TRANSACTION_OPEN' })
})
