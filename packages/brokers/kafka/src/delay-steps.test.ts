import { expect, test } from 'vitest'
import { delaySteps, readyPartition, stepCount, stepFor } from './delay-steps.ts'

test.each([
  [1, 250],
  [250, 250],
  [251, 500],
  [1_000_000, 1_024_000],
  [86_400_000, 1_024_000],
])('a delay of %d ms waits in the step of %d ms', (delayMs, stepMs) => {
  expect(delaySteps[stepFor(delayMs)]).toBe(stepMs)
})

test('what is ready lies behind the steps', () => {
  expect(readyPartition(0)).toBe(stepCount)
})
