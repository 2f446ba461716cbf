import { describe, expect, test } from 'vitest'
import { createSeededRandom } from './seeded-random.ts'

const take = (seed: number, count: number): number[] => {
  const random = createSeededRandom(seed)
  return Array.from({ length: count }, () => random())
}

describe('createSeededRandom', () => {
  test('gives the same numbers for the same seed and others for another', () => {
    expect(take(7, 20)).toEqual(take(7, 20))
    expect(take(7, 20)).not.toEqual(take(8, 20))
    expect(take(1, 20)).not.toEqual(take(2 ** 32 + 1, 20))
  })

  test('spreads over at least 0 and below 1', () => {
    const numbers = take(1, 20_000)
    const tenths = Array.from(
      { length: 10 },
      (_, tenth) => numbers.filter((number) => Math.floor(number * 10) === tenth).length,
    )

    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true)
    for (const count of tenths) expect(Math.abs(count - 2_000)).toBeLessThan(200)
  })

  test('has random bits past the 32nd', () => {
    const low = take(3, 1_000).map((number) => (number * 2 ** 53) % 2 ** 20)

    expect(new Set(low).size).toBeGreaterThan(990)
  })

  test('starts differently for seeds that are neighbours', () => {
    const first = Array.from({ length: 100 }, (_, seed) => take(seed, 1)[0]!)

    expect(new Set(first.map((number) => Math.floor(number * 100))).size).toBeGreaterThan(45)
  })
})
