import { describe, expect, test } from 'vitest'
import { nearestName } from './nearest-name.ts'

const known = ['concurrency', 'prefetch', 'maxAttempts', 'retryDelay', 'use', 'order']

describe('nearestName', () => {
  test.each([
    ['concurency', 'concurrency'],
    ['Concurrency', 'concurrency'],
    ['prefecth', 'prefetch'],
    ['maxAttempt', 'maxAttempts'],
    ['maxRetries', undefined],
    ['retrydelayMs', 'retryDelay'],
    ['oder', 'order'],
    ['ues', 'use'],
    ['us', 'use'],
    ['concurr', undefined],
    ['prefet', 'prefetch'],
    ['prefe', undefined],
    ['x', undefined],
    ['xyz', undefined],
    ['somethingElseEntirely', undefined],
    ['', undefined],
    ['c'.repeat(100_000), undefined],
  ])('takes %s for %s', (given, expected) => {
    expect(nearestName(given, known)).toBe(expected)
  })

  test('takes the nearest one, and of those alike the first', () => {
    expect(nearestName('maxBites', ['maxItems', 'maxBytes', 'minBytes'])).toBe('maxBytes')
    expect(nearestName('ab', ['abc', 'abd'])).toBe('abc')
  })

  test('suggests nothing where nothing is known', () => {
    expect(nearestName('concurrency', [])).toBeUndefined()
  })
})
