import { expect, test } from 'vitest'
import { payloadHash } from './payload-hash.ts'

test('is the same for the same data, in whatever order the keys of objects are', () => {
  const one = { id: 7, items: [{ sku: 'a', count: 1 }, 'b'], customer: { name: 'Ada', city: 'London' } }
  const other = { customer: { city: 'London', name: 'Ada' }, items: [{ count: 1, sku: 'a' }, 'b'], id: 7 }
  expect(payloadHash(one)).toBe(payloadHash(other))
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
