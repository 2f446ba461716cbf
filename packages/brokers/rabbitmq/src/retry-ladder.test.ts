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

/** All up to 100 s, then each longer by a ten-thousandth, up to 30 days; and what is around each power of two. */
function* delays(): Generator<number> {
  for (let delayMs = 1; delayMs <= 100_000; delayMs += 1) yield delayMs
  for (let delayMs = 100_000; delayMs <= maxDelayMs; delayMs = Math.ceil(delayMs * 1.000_1)) yield delayMs
  for (const step of stepsMs) {
    const near = [step - 1, step, step + 1, step * 1.25, step * 1.25 + 1, step * 1.75 + 1]
    yield* near.filter((delayMs) => delayMs <= maxDelayMs)
  }
  yield maxDelayMs
}

describe('stepsFor', () => {
  test('is never early, and less than a quarter late, or than the shortest step where that is more', () => {
    const wrong: number[] = []
    for (const delayMs of delays()) {
      const total = sum(stepsFor(delayMs))
      const latest = Math.max(delayMs * (1 + maxExcess), delayMs + firstStepMs)
      if (total < delayMs || total >= latest) wrong.push(delayMs)
    }
    expect(wrong).toEqual([])
  })

  test('takes at most three steps, each followed by one that it has a way to', () => {
    const wrong: number[] = []
    for (const delayMs of delays()) {
      const steps = stepsFor(delayMs)
      const isWay = steps.every(
        (step, index) =>
          stepsMs.includes(step) && (index === 0 || followersOf(steps[index - 1]!).includes(step)),
      )
      if (steps.length < 1 || steps.length > 3 || !isWay) wrong.push(delayMs)
    }
    expect(wrong).toEqual([])
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
