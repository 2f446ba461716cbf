import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isDeeperThan } from './json-depth.ts'

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0

describe('isDeeperThan', () => {
  test('counts the levels of any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8, depthSize: 'max' }), fc.nat(8), (value, maxDepth) => {
        expect(isDeeperThan(JSON.stringify(value), maxDepth)).toBe(depthOf(value) > maxDepth)
      }),
      { numRuns: 1_000 },
    )
  })

  test('does not count brackets in strings, whatever is escaped there', () => {
    fc.assert(
      fc.property(
        fc
          .array(fc.constantFrom('[', '{', '"', '\\', ']', 'a', '\\"'), { maxLength: 40 })
          .map((parts) => parts.join('')),
        (text) => {
          expect(isDeeperThan(JSON.stringify([text, { [text]: text }]), 1)).toBe(true)
          expect(isDeeperThan(JSON.stringify([text, { [text]: text }]), 2)).toBe(false)
        },
      ),
    )
  })

  test.each([
    ['["'.repeat(5), false],
    [String.raw`{"a":"\\", "b": [[[`, true],
    [`[[["${String.raw`\"`.repeat(9)}`, false],
    [']]]]][[[[[[', false],
    ['[[[[]]]]x"', true],
    [`"${'['.repeat(20)}`, false],
  ])('comes to an end for text that is no JSON: %s', (text, expected) => {
    expect(isDeeperThan(text, 3)).toBe(expected)
  })
})
