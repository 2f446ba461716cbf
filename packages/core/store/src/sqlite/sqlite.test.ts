import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sqliteStore, sqliteSchema } from '../sqlite.ts'

let folder: string
let database: DatabaseSync

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'posthorn-store-'))
  database = new DatabaseSync(join(folder, 'store.db'))
})

afterEach(async () => {
  database.close()
  await rm(folder, { recursive: true })
})

const request = [{ key: 'order-1', owner: 'me', leaseMs: 60_000 }]

test('says what to do about tables that are missing', async () => {
  await expect(sqliteStore(database).claims.claim(request)).rejects.toMatchObject({
    code: 'POSTHORN_STORE_NOT_MIGRATED',
    message: expect.stringContaining('migrate()'),
  })
})

test('works on a schema that was made by hand', async () => {
  database.exec(sqliteSchema('shop_'))
  const store = sqliteStore(database, { prefix: 'shop_' })
  await expect(store.claims.claim(request)).resolves.toMatchObject([{ status: 'claimed' }])
})

test('joins no transaction that it was not given', async () => {
  const store = sqliteStore(database)
  await store.migrate()
  database.exec('BEGIN')
  await expect(store.claims.claim(request)).rejects.toMatchObject({
    code: 'POSTHORN_TRANSACTION_OPEN',
    message: expect.stringContaining('store.in(database)'),
  })
  await expect(store.now()).rejects.toMatchObject({ code: 'POSTHORN_TRANSACTION_OPEN' })
  database.exec('ROLLBACK')
})

test('needs the transaction that it is given to be open', async () => {
  const store = sqliteStore(database)
  await store.migrate()
  await expect(store.in(database).claims.claim(request)).rejects.toMatchObject({
    code: 'POSTHORN_TRANSACTION_MISSING',
  })
})

test('is busy while another connection writes', async () => {
  const store = sqliteStore(database)
  await store.migrate()
  const other = new DatabaseSync(join(folder, 'store.db'))
  other.exec('BEGIN IMMEDIATE')
  await expect(store.claims.claim(request)).rejects.toMatchObject({
    code: 'POSTHORN_STORE_BUSY',
    retryable: true,
  })
  other.exec('ROLLBACK')
  await expect(store.claims.claim(request)).resolves.toMatchObject([{ status: 'claimed' }])
  other.close()
})

test('leaves a transaction as it was before a batch that failed in it', async () => {
  const store = sqliteStore(database)
  await store.migrate()
  database.exec(
    `CREATE TRIGGER refuse BEFORE INSERT ON posthorn_claims WHEN new.key = 'order-2' BEGIN SELECT RAISE(FAIL, 'refused'); END`,
  )
  database.exec('BEGIN')
  const inside = store.in(database)
  const failing = inside.claims.claim([...request, { key: 'order-2', owner: 'me', leaseMs: 1_000 }])
  await expect(failing).rejects.toMatchObject({ code: 'POSTHORN_STORE_FAILED' })
  await expect(inside.claims.claim(request)).resolves.toMatchObject([{ status: 'claimed' }])
  database.exec('COMMIT')
})

test('keeps what is done when its process has ended', async () => {
  const store = sqliteStore(database)
  await store.migrate()
  const [answer] = await store.claims.claim(request)
  const fence = answer?.status === 'claimed' ? answer.fence : 0
  await store.claims.complete([{ key: 'order-1', fence, result: 'paid', retentionMs: 60_000 }])
  database.close()
  database = new DatabaseSync(join(folder, 'store.db'))
  await expect(sqliteStore(database).claims.claim(request)).resolves.toEqual([
    { status: 'done', result: 'paid' },
  ])
})
