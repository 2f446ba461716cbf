import { DatabaseSync } from 'node:sqlite'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import type { Store } from '@posthorn/store'
import { postgresStore } from '@posthorn/store/postgres'
import { redisStore } from '@posthorn/store/redis'
import { sqliteStore } from '@posthorn/store/sqlite'

export type Kind = 'postgres' | 'redis' | 'sqlite'

interface OpenStore {
  readonly store: Store<unknown>
  /** Opens a transaction on the store's connection and answers it, for `store.in`. */
  readonly begin: () => Promise<unknown>
  readonly close: () => Promise<void>
}

/** A store as a process has it: with a connection of its own. `url` of SQLite is a path. */
export async function openStore(kind: Kind, url: string): Promise<OpenStore> {
  if (kind === 'redis') {
    const client = new Redis(url)
    return {
      store: redisStore(client),
      begin: async () => undefined,
      close: async () => client.disconnect(),
    }
  }
  if (kind === 'postgres') {
    const client = new Client(url)
    client.on('error', () => undefined)
    await client.connect()
    return {
      store: postgresStore(client),
      async begin() {
        await client.query('BEGIN')
        return client
      },
      close: async () => client.end(),
    }
  }
  const database = new DatabaseSync(url, { timeout: 5_000 })
  return {
    store: sqliteStore(database),
    async begin() {
      database.exec('BEGIN')
      return database
    },
    close: async () => database.close(),
  }
}
