import { describe, expect, test } from 'vitest'
import { TokenBucket } from './token-bucket.ts'

/** The times of the first `count` starts of one who starts whenever there is a token. */
function startTimes(bucket: TokenBucket, count: number): number[] {
  const times: number[] = []
  for (let now = 0; times.length < count; now += bucket.waitFor(1, now)) {
    while (times.length < count && bucket.available(now) > 0) {
      bucket.take(now)
      times.push(now)
    }
  }
  return times
}

describe('a bucket', () => {
  test('starts full and refills evenly', () => {
    expect(startTimes(new TokenBucket(3, 300), 7)).toEqual([0, 0, 0, 100, 200, 300, 400])
  })

  test('never holds more than its size', () => {
    const bucket = new TokenBucket(5, 100)
    bucket.take(0)
    expect(bucket.available(0)).toBe(4)
    expect(bucket.available(1_000_000)).toBe(5)
  })

  test('keeps to its rate over a long time, whatever the fractions are', () => {
    for (const [max, perMs] of [
      [3, 1_000],
      [7, 60_000],
      [1_000, 1_000],
      [30, 7],
      [1, 86_400_000],
    ] as const) {
      const times = startTimes(new TokenBucket(max, perMs), max * 50)
      const last = times.at(-1)!
      // After the first bucket, each further `max` takes `perMs`; whole milliseconds round up, never down.
      expect(last).toBeGreaterThanOrEqual(49 * perMs - 1)
      expect(last).toBeLessThanOrEqual(49 * perMs + Math.max(1, 49 * max))
    }
  })

  test('says how long it takes until there are so many', () => {
    const bucket = new TokenBucket(4, 400)
    for (let index = 0; index < 4; index += 1) bucket.take(0)
    expect(bucket.available(0)).toBe(0)
    expect(bucket.waitFor(1, 0)).toBe(100)
    expect(bucket.waitFor(4, 0)).toBe(400)
    expect(bucket.available(250)).toBe(2)
    expect(bucket.waitFor(2, 250)).toBe(0)
  })

  test('what is taken from an empty one is made up for', () => {
    const bucket = new TokenBucket(1, 100)
    bucket.take(0)
    bucket.take(0)
    expect(bucket.available(0)).toBe(0)
    expect(bucket.waitFor(1, 0)).toBe(200)
  })
})
