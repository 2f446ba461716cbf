import { expect, test } from 'vitest'
import { listNames } from './list-names.ts'

test('lists names, and counts those for which there is no room', () => {
  expect(listNames(['a', 'b'])).toBe('a, b')
  expect(listNames(Array.from({ length: 23 }, (_, index) => `n${index}`))).toMatch(/^n0, .*, n19 and 3 more$/)
})
