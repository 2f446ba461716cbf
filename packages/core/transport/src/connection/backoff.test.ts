import { expect, test } from 'vitest'
import { reconnectDelay } from './backoff.ts'

const most = (): number => 0.999_999

test('the bound of the wait doubles from 100 ms to 30 s', () => {
  const bounds = [1, 2, 3, 4, 8, 9, 10, 11].map((attempt) => reconnectDelay(attempt, most))
  expect(bounds).toEqual([100, 200, 400, 800, 12_800, 25_600, 30_000, 30_000])
})

test('the wait is anywhere from nothing to its bound', () => {
  expect(reconnectDelay(5, () => 0)).toBe(0)
  expect(reconnectDelay(5, () => 0.5)).toBe(800)
})

test('a try of any number has a finite wait', () => {
  expect(reconnectDelay(1e9, most)).toBe(30_000)
})
