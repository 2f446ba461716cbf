import type { OpenTransaction, StoreUnderTest } from '@posthorn/conformance'
import { postgresStore, type PostgresClient } from '@posthorn/store/postgres'

/** Opens a transaction, on a connection of its own where there are several. */
export type BeginPostgres = () => Promise<OpenTransaction<PostgresClient>>

interface Connection {
  /** For the stores. */
  readonly client: PostgresClient
  readonly begin: BeginPostgres
}

let lastPrefix = 0

/** Each harness has tables of its own in a database that is already there. */
export function postgresSubject(name: string, connection: () => Connection): StoreUnderTest<PostgresClient> {
  return {
    name,
    async create() {
      const { client, begin } = connection()
      lastPrefix += 1
      const prefix = `test_${process.pid}_${lastPrefix}_`
      await postgresStore(client, { prefix }).migrate()
      return {
        open: async () => postgresStore(client, { prefix }),
        pass: async (durationMs) => age(client, prefix, durationMs),
        begin,
        async close() {
          for (const table of ['claims', 'records', 'outbox'])
            await client.query(`DROP TABLE ${prefix}${table}`)
          await client.query(`DROP SEQUENCE ${prefix}counter`)
        },
      }
    },
  }
}

/** Takes the time off everything that is stored. */
async function age(client: PostgresClient, prefix: string, durationMs: number): Promise<void> {
  const times = {
    claims: ['lease_end', 'expires_at'],
    records: ['due_at', 'expires_at'],
    outbox: ['free_at', 'appended_at'],
  }
  for (const [table, columns] of Object.entries(times)) {
    const changes = columns.map((column) => `${column} = ${column} - interval '${durationMs} milliseconds'`)
    await client.query(`UPDATE ${prefix}${table} SET ${changes.join(', ')}`)
  }
}
