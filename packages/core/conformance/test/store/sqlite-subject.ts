import { mkdtemp, rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoreUnderTest } from '@posthorn/conformance'
import type { Store } from '@posthorn/store'
import { sqliteStore, type SqliteDatabase } from '@posthorn/store/sqlite'

type Change = (store: Store<SqliteDatabase>) => Store<SqliteDatabase>
const unchanged: Change = (store) => store

/** One connection, which a transaction shares with the store. */
export function sqliteMemorySubject(change: Change = unchanged): StoreUnderTest<SqliteDatabase> {
  return {
    name: 'sqlite in memory',
    async create() {
      const database = new DatabaseSync(':memory:')
      const store = sqliteStore(database)
      await store.migrate()
      return {
        open: async () => change(store),
        pass: async (durationMs) => age(database, durationMs),
        async begin() {
          return begin(database)
        },
        close: async () => database.close(),
      }
    },
  }
}

/** A connection for each store and for each transaction. */
export function sqliteFileSubject(change: Change = unchanged): StoreUnderTest<SqliteDatabase> {
  return {
    name: 'sqlite in a file',
    async create() {
      const folder = await mkdtemp(join(tmpdir(), 'posthorn-sqlite-'))
      const open: DatabaseSync[] = []
      const connect = (): DatabaseSync => {
        const database = new DatabaseSync(join(folder, 'store.db'), { timeout: 0 })
        database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
        open.push(database)
        return database
      }
      const admin = connect()
      await sqliteStore(admin).migrate()
      return {
        open: async () => change(sqliteStore(connect())),
        pass: async (durationMs) => age(admin, durationMs),
        async begin() {
          return begin(connect())
        },
        async close() {
          for (const database of open) database.close()
          await rm(folder, { recursive: true })
        },
      }
    },
  }
}

/** Takes the time off everything that is stored. */
function age(database: DatabaseSync, durationMs: number): void {
  database.exec(`
    UPDATE posthorn_claims SET lease_end = lease_end - ${durationMs}, expires_at = expires_at - ${durationMs};
    UPDATE posthorn_records SET due_at = due_at - ${durationMs}, expires_at = expires_at - ${durationMs};
    UPDATE posthorn_outbox SET free_at = free_at - ${durationMs}, appended_at = appended_at - ${durationMs};
  `)
}

function begin(database: DatabaseSync) {
  database.exec('BEGIN')
  return {
    transaction: database,
    commit: async () => database.exec('COMMIT'),
    rollback: async () => database.exec('ROLLBACK'),
  }
}
