import { expect, test } from 'vitest'
import { postgresStore, postgresSchema } from '../postgres.ts'
import { redisStore } from '../redis.ts'
import { sqliteStore, sqliteSchema } from '../sqlite.ts'

const nobody = {} as never

test.each(['', 'A', '1a', 'a-b', 'a.b', 'a"; DROP TABLE users; --', 'a'.repeat(41), 7 as unknown as string])(
  'refuses the prefix %j for tables',
  (prefix) => {
    for (const make of [
      () => postgresStore(nobody, { prefix }),
      () => sqliteStore(nobody, { prefix }),
      () => postgresSchema(prefix),
      () => sqliteSchema(prefix),
    ]) {
      expect(make).toThrow(expect.objectContaining({ code: 'POSTHORN_INVALID_OPTION' }))
    }
  },
)

test.each(['', '{a}', 'a b', 'a\n', 'a'.repeat(41)])('refuses the prefix %j for keys', (prefix) => {
  expect(() => redisStore(nobody, { prefix })).toThrow('redisStore().prefix must be 1 to 40 of')
})

test('puts the prefix before all names of a schema', () => {
  for (const schema of [postgresSchema('shop_'), sqliteSchema('shop_')]) {
    expect(schema).toContain('shop_claims')
    expect(schema).not.toContain('posthorn')
  }
})
