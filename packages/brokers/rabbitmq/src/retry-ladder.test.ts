import { describe, expect, test } from 'vitest'
import {
  firstStepMs,
  followersOf,
  ladderHeaders,
  maxDelayMs,
  maxExcess,
  stepsFor,
  stepsMs,
} from './retry-ladder.ts'

const sum = (steps: readonly number[]): number => steps.reduce((total, step) => total + step, 0)

/** Around each power of two, and between. */
const delays = [
  ...stepsMs.flatMap((step) => [step - 1, step, step + 1, step * 1.25, step * 1.25 + 1, step * 1.75 + 1]),
  1,
  1_000,
  60_000,
  3_600_000,
  86_400_000,
  maxDelayMs,
].filter((delayMs) => delayMs <= maxDelayMs)

describe('stepsFor', () => {
  test('is never early, and less than a quarter late', () => {
    for (const delayMs of delays) {
      const total = sum(stepsFor(delayMs))
      expect(total).toBeGreaterThanOrEqual(delayMs)
      expect(total).toBeLessThan(Math.max(delayMs * (1 + maxExcess), delayMs + firstStepMs))
    }
  })

  test('takes at most three steps, each followed by one that it has a way to', () => {
    for (const delayMs of delays) {
      const steps = stepsFor(delayMs)
      expect(steps.length).toBeLessThanOrEqual(3)
      for (const [index, step] of steps.entries()) {
        expect(stepsMs).toContain(step)
        const next = steps[index + 1]
        if (next !== undefined) expect(followersOf(step)).toContain(next)
      }
    }
  })

  test.each([
    [0, [32]],
    [1, [32]],
    [32, [32]],
    [33, [64]],
    [1_000, [1_024]],
    [5_000, [4_096, 1_024]],
    [7_000, [4_096, 2_048, 1_024]],
    [60_000, [65_536]],
  ])('turns %d ms into %j', (delayMs, steps) => {
    expect(stepsFor(delayMs)).toEqual(steps)
  })

  test('takes what is beyond the longest delay for the longest', () => {
    expect(stepsFor(Number.MAX_SAFE_INTEGER)).toEqual(stepsFor(maxDelayMs))
  })
})

describe('ladderHeaders', () => {
  test('name the way, step by step, and where it ends', () => {
    expect(ladderHeaders(7_000, { queue: 'orders' })).toEqual({
      'posthorn-delay': '4096',
      'posthorn-after-4096': '2048',
      'posthorn-after-2048': '1024',
      'posthorn-after-1024': 'done',
      'posthorn-return': 'orders',
    })
    expect(ladderHeaders(10, { topic: 'events' })).toEqual({
      'posthorn-delay': '32',
      'posthorn-after-32': 'done',
      'posthorn-return-topic': 'events',
    })
  })
})
