import { checkPrefix } from '../checks/check-prefix.ts'
import { fields } from '../checks/rules.ts'
import type { Store, StoreCapabilities, StoreOperations } from '../contract/store.ts'
import { createStore } from '../create-store.ts'
import { SqliteClaims } from './sqlite-claims.ts'
import type { SqliteDatabase } from './sqlite-database.ts'
import { SqliteOutbox } from './sqlite-outbox.ts'
import { SqliteRecords } from './sqlite-records.ts'
import { SqliteSession } from './sqlite-session.ts'
import { sqliteSchema } from './schema.ts'

export interface SqliteStoreOptions {
  /** How the names of the tables begin: 1 to 40 of a-z, 0-9 and _. Default: `posthorn_`. */
  readonly prefix?: string
}

const rules = fields({ prefix: (value, place) => void checkPrefix(value, place) })

const capabilities: StoreCapabilities = {
  transactions: {
    level: 'native',
    guarantee:
      'There is one writer: while a transaction is open, everything else that writes is refused as busy.',
  },
  durability: {
    level: 'native',
    guarantee:
      'As durable as the file and `PRAGMA synchronous` are; a database in memory ends with its process.',
  },
}

/** A store in a `DatabaseSync` of `node:sqlite`. `store.in` takes one on which a transaction is open, the same or another. */
export function sqliteStore(
  database: SqliteDatabase,
  options: SqliteStoreOptions = {},
): Store<SqliteDatabase> {
  rules(options, { step: 'sqliteStore()' })
  const prefix = checkPrefix(options.prefix, { step: 'sqliteStore().prefix' })
  const session = new SqliteSession(database, prefix, false)
  return createStore<SqliteDatabase>({
    name: 'sqlite',
    capabilities,
    ...operationsOf(session),
    in: (transaction) => operationsOf(new SqliteSession(transaction, prefix, true)),
    now: async () => session.read(() => session.now()),
    migrate: async () => session.write(() => database.exec(sqliteSchema(prefix))),
    sweep: async ({ limit }) =>
      session.write(() => {
        const now = session.now()
        const sweepTable = (table: string, key: string): number =>
          session.run(
            `DELETE FROM ${prefix}${table} WHERE (${key}) IN (SELECT ${key} FROM ${prefix}${table} WHERE expires_at <= ? LIMIT ?)`,
            now,
            limit,
          )
        return sweepTable('claims', 'key') + sweepTable('records', 'collection, key')
      }),
  })
}

function operationsOf(session: SqliteSession): StoreOperations {
  const outbox = new SqliteOutbox(session)
  return { claims: new SqliteClaims(session), records: new SqliteRecords(session, outbox), outbox }
}
