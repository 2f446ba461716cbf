import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { exponential, fixed, list } from './retry-delay.ts'

const schedule = (delay: ReturnType<typeof exponential>, attempts: number): number[] =>
  Array.from({ length: attempts }, (_, index) => delay(index + 1, () => 0))

const invalid = expect.objectContaining({ code: 'POSTHORN_INVALID_OPTION' }) as Error

describe('exponential', () => {
  test('doubles from a second to a minute', () => {
    expect(schedule(exponential(), 9)).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000,
    ])
  })

  test('keeps to the schedule exactly with a factor that is a fraction', () => {
    expect(schedule(exponential({ factor: 1.1, jitter: 'none' }), 6)).toEqual([
      1_000, 1_100, 1_210, 1_331, 1_465, 1_611,
    ])
    expect(schedule(exponential({ factor: 1.5, baseMs: 100 }), 5)).toEqual([100, 150, 225, 338, 507])
    expect(schedule(exponential({ factor: 1 }), 3)).toEqual([1_000, 1_000, 1_000])
  })

  test('never waits less than the schedule says, nor twice as long', () => {
    fc.assert(
      fc.property(
        fc.record({
          baseMs: fc.integer({ min: 1, max: 100_000 }),
          factor: fc.double({ min: 1, max: 10, noNaN: true }),
          maxMs: fc.integer({ min: 1, max: 10_000_000 }),
        }),
        fc.integer({ min: 1, max: 2_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (options, attempt, random) => {
          const floor = exponential({ ...options, jitter: 'none' })(attempt, () => random)
          const delay = exponential(options)(attempt, () => random)
          expect(Number.isInteger(delay)).toBe(true)
          expect(delay).toBeGreaterThanOrEqual(floor)
          expect(delay).toBeLessThanOrEqual(2 * floor)
          expect(floor).toBeLessThanOrEqual(options.maxMs)
        },
      ),
    )
  })

  test('adds up to the whole step at random', () => {
    expect(exponential()(2, () => 0.5)).toBe(3_000)
    expect(exponential({ jitter: 'none' })(2, () => 0.5)).toBe(2_000)
  })

  test('stays finite after any number of attempts', () => {
    expect(exponential({ jitter: 'none' })(1e9, () => 0)).toBe(60_000)
    expect(exponential({ baseMs: 0 })(1e9, () => 0.5)).toBe(0)
  })

  test.each<object>([
    { baseMs: -1 },
    { baseMs: Number.NaN },
    { baseMs: '1000' },
    { factor: 0.9 },
    { factor: Number.NaN },
    { factor: Infinity },
    { maxMs: -1 },
    { maxMs: Infinity },
    { jitter: 'equal' },
  ])('refuses %j', (options) => {
    expect(() => exponential(options)).toThrow(invalid)
  })

  test('refuses an option that does not exist', () => {
    expect(() => exponential({ base: 5 } as object)).toThrow('Did you mean "baseMs"?')
  })
})

describe('fixed', () => {
  test('waits the same each time', () => {
    expect([1, 2, 50].map((attempt) => fixed(250)(attempt, () => 0.9))).toEqual([250, 250, 250])
    expect(fixed(0)(1, () => 0)).toBe(0)
    expect(fixed(0.2)(1, () => 0)).toBe(1)
  })

  test.each([-1, Number.NaN, Infinity, '5', undefined])('refuses %p', (ms) => {
    expect(() => fixed(ms as number)).toThrow(invalid)
  })
})

describe('list', () => {
  test('waits as listed, and the last one for ever after', () => {
    const delay = list([100, 5_000, 60_000])

    expect([1, 2, 3, 4, 1_000].map((attempt) => delay(attempt, () => 0.9))).toEqual([
      100, 5_000, 60_000, 60_000, 60_000,
    ])
  })

  test('does not change when the array does', () => {
    const delays = [100]
    const delay = list(delays)
    delays[0] = 5

    expect(delay(1, () => 0)).toBe(100)
  })

  test.each<unknown>([[], [-1], [100, Number.NaN], [100, undefined], ['5'], 100, undefined])(
    'refuses %j',
    (delays) => {
      expect(() => list(delays as number[])).toThrow(invalid)
    },
  )
})
