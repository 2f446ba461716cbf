import { describe, expect, test } from 'vitest'
import { PosthornError } from '../errors.ts'
import { describeError, withFailure, withRelease } from './failed-message.ts'
import { makeWire } from '../../test/make-run.ts'

describe('withFailure', () => {
  test('raises the attempt and notes the failure, the first one for good', () => {
    const once = withFailure(makeWire({ attempt: 1 }), new TypeError('no'), 1_000, 2_000)
    expect(once).toMatchObject({
      attempt: 2,
      notBefore: 2_000,
      firstFailedAt: 1_000,
      lastFailedAt: 1_000,
      lastError: 'TypeError: no',
      releases: 0,
      trials: 0,
    })
    const twice = withFailure(once, undefined, 3_000, undefined)
    expect(twice).toMatchObject({
      attempt: 3,
      notBefore: undefined,
      firstFailedAt: 1_000,
      lastFailedAt: 3_000,
    })
    expect(twice.lastError).toBe('TypeError: no')
  })

  test('leaves the message that it was made from as it is', () => {
    const wire = Object.freeze(makeWire())
    expect(withRelease(wire, 5)).toEqual({ ...wire, releases: 1, notBefore: 5 })
    expect(wire.releases).toBe(0)
  })

  test('writes nothing that a header could not hold', () => {
    const error = new Error(`\u001b[31mred\u001b[0m\r\nand ${'😀'.repeat(300)}`)
    const { lastError } = withFailure(makeWire(), error, 0, undefined)
    expect(lastError).toMatch(/^Error:  \[31mred \[0m {2}and /)
    expect(lastError?.length).toBe(256)
    expect(lastError).not.toMatch(/\p{Surrogate}/u)
  })
})

describe('describeError', () => {
  const hostile = Object.defineProperties(new Error('x'), {
    name: {
      get: () => {
        throw new Error('x')
      },
    },
    message: { value: Symbol('x') },
    code: { value: { toString: () => 'x' } },
  })

  test.each<[string, unknown, ReturnType<typeof describeError>]>([
    ['an error', new RangeError('far'), { name: 'RangeError', message: 'far', code: undefined }],
    [
      'an error of ours',
      new PosthornError('POSTHORN_TIMEOUT', 'late'),
      { name: 'PosthornError', message: 'late', code: 'POSTHORN_TIMEOUT' },
    ],
    [
      'a code of the system',
      Object.assign(new Error('x'), { code: 'ENOENT' }),
      { name: 'Error', message: 'x', code: 'ENOENT' },
    ],
    [
      'a code that is a number',
      Object.assign(new Error('x'), { code: 42 }),
      { name: 'Error', message: 'x', code: '42' },
    ],
    ['a hostile error', hostile, { name: 'Error', message: '', code: undefined }],
    ['a text', 'no', { name: 'Error', message: 'no', code: undefined }],
  ])('tells of %s', (_, thrown, expected) => {
    expect(describeError(thrown)).toEqual(expected)
  })

  test('cuts a long message', () => {
    expect(describeError(new Error('x'.repeat(10_000))).message).toHaveLength(1_024)
  })
})
