import { hash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { payloadHash } from './payload-hash.ts'

test('is the same for the same data, in whatever order the keys of objects are', () => {
  const one = { id: 7, items: [{ sku: 'a', count: 1 }, 'b'], customer: { name: 'Ada', city: 'London' } }
  const other = { customer: { city: 'London', name: 'Ada' }, items: [{ count: 1, sku: 'a' }, 'b'], id: 7 }
  expect(payloadHash(one)).toBe(payloadHash(other))
})

/** The same by the plainest way. */
function plainly(payload: unknown): string {
  const text = JSON.stringify(payload, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  })
  return hash('sha256', text, 'base64url')
}

const anything = fc.anything({
  key: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'toJSON', '10', '9')),
  maxDepth: 4,
  withDate: true,
  withNullPrototype: true,
  withUnicodeString: true,
})

test('is that of the JSON with its keys sorted, whatever is in it', () => {
  fc.assert(
    fc.property(anything, (payload) => {
      const wrapped = { payload, list: [payload] }
      expect(payloadHash(wrapped)).toBe(plainly(wrapped))
    }),
  )
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`${(index * 7) % 50}`, index]))
  expect(payloadHash(many)).toBe(plainly(many))
})

test('reads what is very deep, and what says itself how it is written', () => {
  let deep: unknown = { b: 1, a: 2 }
  for (let depth = 0; depth < 250; depth += 1) deep = { z: [deep], a: depth }
  const money = { toJSON: () => ({ unit: 'EUR', amount: 5 }) }
  for (const payload of [
    deep,
    { money, date: new Date(0) },
    new (class Order {
      b = 1
      a = 2
    })(),
  ])
    expect(payloadHash(payload)).toBe(plainly(payload))
})

test.each([
  [{ a: 1 }, { a: '1' }],
  [
    [1, 2],
    [2, 1],
  ],
  [{}, []],
  [null, 'null'],
  [{ a: null }, {}],
  [{ ['__proto__']: 1 }, {}],
])('differs between %j and %j', (one, other) => {
  expect(payloadHash(one)).not.toBe(payloadHash(other))
})

test('goes by the content of bytes', () => {
  expect(payloadHash(new Uint8Array([1, 2]))).toBe(payloadHash(Buffer.from([1, 2])))
  expect(payloadHash(new Uint8Array([1, 2]))).not.toBe(payloadHash(new Uint8Array([2, 1])))
})

test('is short, and fit for any database', () => {
  expect(payloadHash('x'.repeat(1_000_000))).toMatch(/^[\w-]{43}$/)
})

const circular: Record<string, unknown> = {}
circular['self'] = circular

test.each([[undefined], [() => 1], [1n], [circular]])('refuses what JSON cannot hold', (value) => {
  expect(() => payloadHash(value)).toThrow(
    expect.objectContaining({
      code: 'POSTHORN_INVALID_OPTION',
      message: expect.stringContaining('payloadHash'),
    }),
  )
})
