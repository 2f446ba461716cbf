import { describe, expect, test } from 'vitest'
import { Deduplication } from './deduplication.ts'

describe('Deduplication', () => {
  test('knows an id for the length of the window', () => {
    const ids = new Deduplication(1_000)
    ids.add('a', 0)
    expect(ids.has('a', 999)).toBe(true)
    expect(ids.has('a', 1_000)).toBe(false)
    expect(ids.has('b', 0)).toBe(false)
  })

  test('begins anew when an id comes again after its window', () => {
    const ids = new Deduplication(1_000)
    ids.add('a', 0)
    ids.add('b', 500)
    ids.add('a', 1_200)
    expect(ids.has('a', 2_100)).toBe(true)
    expect(ids.has('b', 1_400)).toBe(true)
    expect(ids.has('b', 1_500)).toBe(false)
  })

  test('forgets the oldest when there are too many', () => {
    const ids = new Deduplication(1_000)
    for (let index = 0; index < 100_001; index++) ids.add(`id-${index}`, 0)
    expect(ids.has('id-0', 1)).toBe(false)
    expect(ids.has('id-1', 1)).toBe(true)
    expect(ids.has('id-100000', 1)).toBe(true)
  })
})
