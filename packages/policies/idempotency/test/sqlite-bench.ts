import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  sqliteStore,
  sqliteTransactions,
  type SqliteDatabase,
  type SqliteTransactions,
} from '@posthorn/store/sqlite'
import type { Store } from '@posthorn/store'

/** A shop's database, with a store in it. */
export interface SqliteBench {
  /** For what is read outside of transactions, and for the relay. */
  readonly database: DatabaseSync
  readonly store: Store<SqliteDatabase>
  /** One at a time, on a connection of its own. */
  readonly transaction: SqliteTransactions
  /** While on, no transaction can be opened. */
  away(on: boolean): void
  charges(): readonly string[]
  [Symbol.asyncDispose](): Promise<void>
}

export async function openSqlite(): Promise<SqliteBench> {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-idempotency-'))
  const file = join(folder, 'shop.db')
  const database = new DatabaseSync(file)
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE charges (id TEXT NOT NULL)')
  const writer = new DatabaseSync(file)
  const store = sqliteStore(database)
  await store.migrate()
  let isAway = false
  const inTransaction = sqliteTransactions(writer)

  return {
    database,
    store,
    async transaction(work) {
      if (isAway) throw new Error('the database is away')
      return inTransaction(work)
    },
    away(on) {
      isAway = on
    },
    charges: () =>
      (database.prepare('SELECT id FROM charges ORDER BY rowid').all() as { id: string }[]).map(
        ({ id }) => id,
      ),
    async [Symbol.asyncDispose]() {
      writer.close()
      database.close()
      rmSync(folder, { recursive: true })
    },
  }
}
