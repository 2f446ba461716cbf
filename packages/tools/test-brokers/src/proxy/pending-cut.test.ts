import { expect, test } from 'vitest'
import { CutCounter } from './pending-cut.ts'

test('admits bytes up to the end of the last frame', () => {
  const counter = new CutCounter(3, 'frames')
  expect(counter.admit(Buffer.alloc(10), [4, 8])).toBeUndefined()
  expect(counter.admit(Buffer.alloc(10), [])).toBeUndefined()
  expect(counter.admit(Buffer.alloc(10), [2, 9])).toBe(2)
})

test('admits exactly so many bytes', () => {
  const counter = new CutCounter(12, 'bytes')
  expect(counter.admit(Buffer.alloc(10), [])).toBeUndefined()
  expect(counter.admit(Buffer.alloc(10), [])).toBe(2)
})

test('cuts with the chunk that reaches the count exactly', () => {
  expect(new CutCounter(10, 'bytes').admit(Buffer.alloc(10), [])).toBe(10)
})

test.each([0, -1, 1.5])('refuses a count of %s', (count) => {
  expect(() => new CutCounter(count, 'frames')).toThrow(
    `A cut needs a whole number of frames from 1, not ${count}`,
  )
})
