import { fields, invalid, optional, wholeNumber } from '../checks/rules.ts'
import type { Store, StoreCapabilities } from '../contract/store.ts'
import { createStore } from '../create-store.ts'
import { StoreError } from '../store-error.ts'
import { MemoryClaims } from './memory-claims.ts'
import { MemoryOutbox } from './memory-outbox.ts'
import { MemoryRecords } from './memory-records.ts'
import { systemNow } from './system-clock.ts'

export interface MemoryStoreOptions {
  /** Claims held at a time. At the bound new ones are refused until some expire. Default: 100,000. */
  readonly maxClaims?: number
  /** Records held at a time. Default: 100,000. */
  readonly maxRecords?: number
  /** Outbox messages held at a time. Default: 100,000. */
  readonly maxMessages?: number
  /** Epoch milliseconds, for tests that turn the time. Default: the system's clock. */
  readonly now?: () => number
}

const defaultBound = 100_000
const bound = optional(wholeNumber(1, 10_000_000))
const rules = fields({
  maxClaims: bound,
  maxRecords: bound,
  maxMessages: bound,
  now(value, place) {
    if (value !== undefined && typeof value !== 'function') throw invalid(place, 'a function', value)
  },
})

const alternative =
  "sqliteStore() of @posthorn/store/sqlite, on a DatabaseSync(':memory:') if nothing is to be kept"
const capabilities: StoreCapabilities = {
  transactions: { level: 'unsupported', alternative },
  durability: { level: 'unsupported', alternative: 'any other store: what it holds ends with the process' },
}

/** A store in this process's memory, bounded: for tests, demos and programs of one process. */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  rules(options, { step: 'memoryStore()' })
  let counter = 0
  const { maxClaims = defaultBound, maxRecords = defaultBound, maxMessages = defaultBound } = options
  const { now = systemNow } = options
  const parts = { maxClaims, maxRecords, maxMessages, now, next: () => ++counter }
  const outbox = new MemoryOutbox(parts)
  const claims = new MemoryClaims(parts)
  const records = new MemoryRecords(parts, outbox)
  return createStore<never>({
    name: 'memory',
    capabilities,
    claims,
    records,
    outbox,
    in() {
      const text = `The memory store has no transactions. Use ${alternative}.`
      throw new StoreError('POSTHORN_UNSUPPORTED', text, { phase: 'options' })
    },
    now: async () => now(),
    migrate: async () => undefined,
    sweep: async ({ limit }) => claims.sweep(limit) + records.sweep(limit),
  })
}
