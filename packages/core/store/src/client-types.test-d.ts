import type { PGlite, Transaction } from '@electric-sql/pglite'
import type { Cluster, Redis } from 'ioredis'
import type { DatabaseSync } from 'node:sqlite'
import type { Client, Pool, PoolClient } from 'pg'
import { expectTypeOf, test } from 'vitest'
import type { Store } from './index.ts'
import { memoryStore } from './memory.ts'
import { postgresStore, type PostgresClient } from './postgres.ts'
import { redisStore, type RedisClient } from './redis.ts'
import { sqliteStore, type SqliteDatabase } from './sqlite.ts'

test('takes the clients as they are', () => {
  expectTypeOf<Pool | Client | PoolClient>().toExtend<PostgresClient>()
  expectTypeOf<PGlite | Transaction>().toExtend<PostgresClient>()
  expectTypeOf<Redis | Cluster>().toExtend<RedisClient>()
  expectTypeOf<DatabaseSync>().toExtend<SqliteDatabase>()
})

test('gives any store to whoever takes one', () => {
  expectTypeOf<ReturnType<typeof memoryStore>>().toExtend<Store<unknown>>()
  expectTypeOf<ReturnType<typeof redisStore>>().toExtend<Store<unknown>>()
  expectTypeOf<ReturnType<typeof postgresStore>>().toExtend<Store<unknown>>()
  expectTypeOf<ReturnType<typeof sqliteStore>>().toExtend<Store<unknown>>()
})

test('takes no transaction where there is none', () => {
  // @ts-expect-error Redis has no transactions.
  redisStore({} as Redis).in({})
  // @ts-expect-error A transaction of PostgreSQL is a client.
  postgresStore({} as Pool).in({})
})
