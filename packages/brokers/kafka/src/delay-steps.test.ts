import { expect, test } from 'vitest'
import { delaySteps, readyCount, readyLine, readyPartition, stepCount, stepFor } from './delay-steps.ts'

test.each([
  [1, 250],
  [250, 250],
  [251, 500],
  [1_000_000, 1_024_000],
  [86_400_000, 1_024_000],
])('a delay of %d ms waits in the step of %d ms', (delayMs, stepMs) => {
  expect(delaySteps[stepFor(delayMs)]).toBe(stepMs)
})

test('what is ready lies behind the steps, one partition for each of the source as far as there are', () => {
  const count = readyCount(stepCount + 3)
  expect([0, 2, 3].map((line) => readyPartition(line, count) - stepCount)).toEqual([0, 2, 0])
})

test.each([
  ['7', 7],
  [undefined, undefined],
  ['-1', undefined],
  ['1e3', undefined],
  ['', undefined],
])('a copy that says %j is of the partition %j', (text, line) => {
  expect(readyLine(text)).toBe(line)
})
