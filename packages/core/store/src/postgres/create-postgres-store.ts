import { checkPrefix } from '../checks/check-prefix.ts'
import { fields } from '../checks/rules.ts'
import type { Store, StoreCapabilities, StoreOperations } from '../contract/store.ts'
import { createStore } from '../create-store.ts'
import { PostgresClaims } from './postgres-claims.ts'
import { PostgresOutbox } from './postgres-outbox.ts'
import { PostgresRecords } from './postgres-records.ts'
import { epochMs, PostgresSession, type PostgresClient } from './postgres-session.ts'
import { migration } from './schema.ts'

export interface PostgresStoreOptions {
  /** How the names of the tables begin: 1 to 40 of a-z, 0-9 and _. Default: `posthorn_`. */
  readonly prefix?: string
}

const rules = fields({ prefix: (value, place) => void checkPrefix(value, place) })

const capabilities: StoreCapabilities = {
  transactions: {
    level: 'native',
    guarantee: 'What another open transaction has claimed is waited for, as long as that transaction takes.',
  },
  durability: {
    level: 'native',
    guarantee: 'As `synchronous_commit` of the connection says; on by default.',
  },
}

/**
 * A store in PostgreSQL, over anything with `query(sql, parameters)`: a `Pool` or `Client` of pg, PGlite. `store.in` takes
 * the client on which a transaction is open, such as one of `pool.connect()` after its `BEGIN`.
 */
export function postgresStore(
  client: PostgresClient,
  options: PostgresStoreOptions = {},
): Store<PostgresClient> {
  rules(options, { step: 'postgresStore()' })
  const prefix = checkPrefix(options.prefix, { step: 'postgresStore().prefix' })
  const session = new PostgresSession(client, prefix)
  const expired = (table: string, key: string): string =>
    `SELECT ${key} FROM ${table} WHERE expires_at <= (SELECT clock_timestamp()) ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED`
  const sweep = `WITH old_claims AS MATERIALIZED (${expired(session.claims, 'key')}
    ), old_records AS MATERIALIZED (${expired(session.records, 'collection, key')}
    ), claims AS (
      DELETE FROM ${session.claims} WHERE key IN (SELECT key FROM old_claims) RETURNING 1
    ), records AS (
      DELETE FROM ${session.records} WHERE (collection, key) IN (SELECT collection, key FROM old_records) RETURNING 1
    )
    SELECT (SELECT count(*) FROM claims) + (SELECT count(*) FROM records) AS removed`
  return createStore<PostgresClient>({
    name: 'postgres',
    capabilities,
    ...operationsOf(session),
    in: (transaction) => operationsOf(new PostgresSession(transaction, prefix)),
    async now() {
      const [row] = await session.query<{ now: unknown }>(`SELECT ${epochMs('clock_timestamp()')} AS now`)
      return Number(row?.now)
    },
    migrate: async () => void (await session.query(migration(prefix))),
    async sweep({ limit }) {
      const [row] = await session.query<{ removed: unknown }>(sweep, limit)
      return Number(row?.removed)
    },
  })
}

function operationsOf(session: PostgresSession): StoreOperations {
  return {
    claims: new PostgresClaims(session),
    records: new PostgresRecords(session),
    outbox: new PostgresOutbox(session),
  }
}
