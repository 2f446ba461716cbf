import { fields, invalid, type Rule } from '../checks/rules.ts'
import type { Store, StoreCapabilities } from '../contract/store.ts'
import { createStore } from '../create-store.ts'
import { StoreError } from '../store-error.ts'
import { RedisClaims } from './redis-claims.ts'
import { RedisOutbox } from './redis-outbox.ts'
import { RedisRecords } from './redis-records.ts'
import { RedisSession, type RedisClient } from './redis-session.ts'
import { sweepScript } from './scripts/record-scripts.ts'
import { script } from './scripts/script.ts'

export interface RedisStoreOptions {
  /** How all keys begin, as a hash tag: `{posthorn}:…`. 1 to 40 of A-Z, a-z, 0-9, and `_.:-`. Default: `posthorn`. */
  readonly prefix?: string
}

const prefixRule: Rule = (value, place) => {
  if (value !== undefined && (typeof value !== 'string' || !/^[\w.:-]{1,40}$/.test(value)))
    throw invalid(place, '1 to 40 of A-Z, a-z, 0-9, and _.:-', value)
}
const rules = fields({ prefix: prefixRule })

const alternative =
  'postgresStore() of @posthorn/store/postgres or sqliteStore() of @posthorn/store/sqlite; a record and its outbox messages are one write in Redis too'
const capabilities: StoreCapabilities = {
  transactions: { level: 'unsupported', alternative },
  durability: {
    level: 'native',
    guarantee:
      'As `appendfsync` says. A failover may forget what was answered last, since replicas are behind; fences still rise.',
  },
}

const nowScript = script('return text(now)')
const memoryScript = script(`return redis.call('INFO', 'memory')`)

/** A store in Redis 6.2 or newer, or Valkey, over a client of ioredis. All of it is in one slot of a cluster. */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): Store {
  rules(options, { step: 'redisStore()' })
  const session = new RedisSession(client, options.prefix ?? 'posthorn')
  return createStore<never>({
    name: 'redis',
    capabilities,
    claims: new RedisClaims(session),
    records: new RedisRecords(session),
    outbox: new RedisOutbox(session),
    in() {
      const text = `Redis has no transactions that a store could be a part of. Use ${alternative}.`
      throw new StoreError('POSTHORN_UNSUPPORTED', text, { phase: 'options' })
    },
    now: async () => Number(await session.run(nowScript)),
    async migrate() {
      refuseEviction(String(await session.run(memoryScript)))
    },
    sweep: async ({ limit }) => Number(await session.run(sweepScript, limit)),
  })
}

/** There is nothing to create; but a server that throws keys out would forget what was claimed. */
function refuseEviction(info: string): void {
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction'
  const max = /^maxmemory:(\d+)/m.exec(info)?.[1] ?? '0'
  if (max === '0' || policy === 'noeviction') return
  const text = `This Redis throws keys out when its memory is full (maxmemory-policy ${policy}), so it may forget what was claimed. Set maxmemory-policy to noeviction, or use another server.`
  throw new StoreError('POSTHORN_UNSUPPORTED', text)
}
