import { expect, test } from 'vitest'
import { goalLine, isReached, type Goal } from './goal.ts'
import { median } from './median.ts'
import { table } from './table.ts'

const speed: Goal = {
  name: 'memory.throughput',
  measured: 426_086.4,
  wanted: 300_000,
  unit: '/s',
  kind: 'atLeast',
}

test('a goal of more is reached at its figure, and short below', () => {
  expect(isReached({ ...speed, measured: 300_000 })).toBe(true)
  expect(isReached({ ...speed, measured: 299_999 })).toBe(false)
})

test('a goal of less is reached at its figure, and short above', () => {
  const memory: Goal = { ...speed, kind: 'atMost', wanted: 1.2 }
  expect(isReached({ ...memory, measured: 1.2 })).toBe(true)
  expect(isReached({ ...memory, measured: 1.21 })).toBe(false)
})

test('a figure that could not be measured is short', () => {
  expect(isReached({ ...speed, measured: Number.NaN })).toBe(false)
  expect(isReached({ ...speed, measured: Number.NaN, kind: 'atMost' })).toBe(false)
})

test('the line of a goal is its name, measured, wanted, and the verdict', () => {
  expect(goalLine(speed)).toBe('memory.throughput 426086/s >=300000/s ok')
  expect(
    goalLine({ ...speed, name: 'memory.flat', measured: 1.5, wanted: 1.2, unit: 'x', kind: 'atMost' }),
  ).toBe('memory.flat 1.50x <=1.20x short')
})

test('the median is the middle, or the mean of the two in the middle', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([4, 1, 3, 2])).toBe(2.5)
})

test('a table aligns names to the left and figures to the right', () => {
  expect(
    table(
      ['what', 'median'],
      [
        ['a', '1'],
        ['longer', '1,000'],
      ],
    ).split('\n'),
  ).toEqual(['what    median', '------  ------', 'a            1', 'longer   1,000'])
})
