import { describe, expect, test } from 'vitest'
import { showValue } from './show-value.ts'

class Pool {}

describe('showValue', () => {
  test.each<[unknown, string]>([
    ['a "b"\n', String.raw`"a \"b\"\n"`],
    [5, '5'],
    [-0, '-0'],
    [Number.NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    [true, 'true'],
    [undefined, 'undefined'],
    [null, 'null'],
    [5n, '5n'],
    [Symbol('s'), 'a symbol'],
    [() => 1, 'a function'],
    [[1, 2, 3], 'an array of 3'],
    [{ password: 'x' }, 'an object'],
    [new Pool(), 'an object (Pool)'],
    [Object.create(null), 'an object'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [new Date(Number.NaN), 'an invalid Date'],
  ])('shows %p as %s', (value, shown) => {
    expect(showValue(value)).toBe(shown)
  })

  test('shows no more than that of what throws when it is looked at', () => {
    const revoked = Proxy.revocable({}, {})
    revoked.revoke()
    const throwing = {
      getPrototypeOf() {
        throw new Error('from a trap')
      },
    }

    expect(showValue(revoked.proxy)).toBe('a value that cannot be shown')
    expect(showValue(new Proxy({}, throwing))).toBe('a value that cannot be shown')
  })

  test('cuts long strings and says how long they are', () => {
    expect(showValue('x'.repeat(5_000))).toBe(`"${'x'.repeat(100)}"… (5000 characters)`)
    expect(showValue('x'.repeat(100))).toBe(`"${'x'.repeat(100)}"`)
  })

  test('cuts long numbers', () => {
    expect(showValue(10n ** 500n).length).toBeLessThan(110)
  })
})
