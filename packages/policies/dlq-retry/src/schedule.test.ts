import fc from 'fast-check'
import { exponential } from '@posthorn/transport'
import { describe, expect, test } from 'vitest'
import type { ScheduleOptions } from './retry-options.ts'
import { createSchedule, leastRandom, mostRandom } from './schedule.ts'

const waits = (options: ScheduleOptions, attempts: number, random = leastRandom): number[] => {
  const schedule = createSchedule(options)
  return Array.from({ length: attempts }, (_, index) => schedule.wait(index + 1, random).jitteredMs)
}

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const backoff = fc.oneof(
  fc.record({
    baseMs: fc.integer({ min: 0, max: 100_000 }),
    factor: fc.double({ min: 1, max: 10, noNaN: true }),
  }),
  fc.double({ min: 0, max: 1e9, noNaN: true }),
  fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 10 }),
)

describe('a schedule', () => {
  test.each<[string, ScheduleOptions, number[]]>([
    ['doubles from a second to a minute', {}, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]],
    ['takes fractional factors', { backoff: { baseMs: 100, factor: 1.5 } }, [100, 150, 225, 338, 507, 760]],
    ['is always the same', { backoff: 250 }, [250, 250, 250]],
    ['is a list whose last wait repeats', { backoff: [10, 500, 90_000] }, [10, 500, 90_000, 90_000]],
    ['keeps to the longest wait', { backoff: [10, 500, 90_000], maxDelayMs: 400 }, [10, 400, 400]],
    ['is what a function says', { backoff: (attempt) => attempt * 7 }, [7, 14, 21]],
    ['bounds a function', { backoff: (attempt) => attempt * 7, maxDelayMs: 10 }, [7, 10, 10]],
    ['takes those of the transport', { backoff: exponential({ maxMs: 1_500 }) }, [1_000, 1_500, 1_500]],
  ])('%s', (_, options, expected) => {
    expect(waits(options, expected.length)).toEqual(expected)
  })

  test('keeps to fractional factors exactly, whatever floating point makes of them', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 10, max: 30 }),
        fc.integer({ min: 1, max: 12 }),
        (baseMs, tenths, attempt) => {
          const exact = BigInt(baseMs) * BigInt(tenths) ** BigInt(attempt - 1)
          const divisor = 10n ** BigInt(attempt - 1)
          const roundedUp = Number((exact + divisor - 1n) / divisor)
          fc.pre(roundedUp <= 1e10)
          const options = { backoff: { baseMs, factor: tenths / 10 }, maxDelayMs: 1e12 }
          expect(createSchedule(options).wait(attempt, leastRandom).leastMs).toBe(roundedUp)
        },
      ),
    )
  })

  test('never waits less than it says, nor more than twice as long', () => {
    fc.assert(
      fc.property(
        backoff,
        fc.option(fc.integer({ min: 0, max: 1e8 }), { nil: undefined }),
        fc.integer({ min: 1, max: 100 }),
        random,
        (given, maxDelayMs, attempt, chance) => {
          const options = { backoff: given, ...(maxDelayMs === undefined ? {} : { maxDelayMs }) }
          const { leastMs, jitteredMs } = createSchedule(options).wait(attempt, () => chance)
          const exact = createSchedule({ ...options, jitter: 'none' }).wait(attempt, () => chance)
          expect([leastMs, exact.jitteredMs]).toEqual([exact.leastMs, exact.leastMs])
          expect(Number.isSafeInteger(jitteredMs)).toBe(true)
          expect(jitteredMs).toBeGreaterThanOrEqual(leastMs)
          expect(jitteredMs).toBeLessThanOrEqual(2 * leastMs)
          if (maxDelayMs !== undefined) expect(leastMs).toBeLessThanOrEqual(maxDelayMs)
        },
      ),
    )
  })

  test('waits as long as an error asks for, and spreads by its own step', () => {
    const schedule = createSchedule({ backoff: 1_000 })
    expect(schedule.wait(1, leastRandom, 30_000.2)).toEqual({ leastMs: 30_001, jitteredMs: 30_001 })
    expect(schedule.wait(1, () => 0.5, 30_000)).toEqual({ leastMs: 30_000, jitteredMs: 30_500 })
    expect(schedule.wait(1, mostRandom, 0)).toEqual({ leastMs: 0, jitteredMs: 1_000 })
  })

  test('adds no jitter to a function, unless it is asked for', () => {
    const given = (): number => 100
    expect(waits({ backoff: given }, 1, () => 0.5)).toEqual([100])
    expect(waits({ backoff: given, jitter: 'full' }, 1, () => 0.5)).toEqual([150])
    expect(waits({ backoff: exponential() }, 2, () => 0.5)).toEqual([1_500, 3_000])
  })

  test.each([Number.NaN, -1, Infinity, '5', undefined])('refuses %s from a function', (answer) => {
    const schedule = createSchedule({ backoff: () => answer as number })
    expect(() => schedule.wait(3, leastRandom)).toThrow(`answered ${String(answer)} after attempt 3`)
  })
})
