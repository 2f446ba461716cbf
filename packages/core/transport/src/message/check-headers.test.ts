import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkHeaders, noHeaders } from './check-headers.ts'
import { isPosthornError } from '../errors.ts'

function refusal(headers: unknown): string {
  try {
    checkHeaders(headers)
  } catch (error) {
    if (isPosthornError(error) && error.code === 'POSTHORN_INVALID_HEADER' && error.outcome === 'rejected') {
      return error.message
    }
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('checkHeaders', () => {
  test('gives a frozen copy without a prototype', () => {
    const given: Record<string, string> = { 'x-tenant': 'a', traceparent: '00-1' }
    const headers = checkHeaders(given)
    given['x-tenant'] = 'b'

    expect({ ...headers }).toEqual({ 'x-tenant': 'a', traceparent: '00-1' })
    expect(Object.getPrototypeOf(headers)).toBeNull()
    expect(Object.isFrozen(headers)).toBe(true)
  })

  test('gives the same empty headers to all messages without any', () => {
    expect(checkHeaders(undefined)).toBe(noHeaders)
    expect(checkHeaders({})).toBe(noHeaders)
    expect(checkHeaders(noHeaders)).toBe(noHeaders)
    expect(Object.isFrozen(noHeaders)).toBe(true)
    expect(Object.keys(noHeaders)).toEqual([])
  })

  test('leaves out headers that are undefined', () => {
    expect({ ...checkHeaders({ a: undefined, b: 'x' }) }).toEqual({ b: 'x' })
  })

  test('takes every visible name and every text without line ends', () => {
    fc.assert(
      fc.property(
        fc
          .stringMatching(/^[!-9;-~]{1,200}$/)
          .filter((name) => !/^posthorn-/i.test(name) && name !== '__proto__'),
        fc.string({ unit: 'grapheme' }).filter((value) => !/[\0\r\n]/.test(value)),
        (name, value) => {
          fc.pre(name !== 'constructor' && name !== 'prototype')
          expect(checkHeaders({ [name]: value })[name]).toBe(value)
        },
      ),
    )
  })

  test.each(['', 'a b', 'a:b', 'ä', 'a\n', 'a\0', 'x'.repeat(201)])('refuses the name %j', (name) => {
    expect(refusal({ [name]: 'x' })).toContain('is not 1 to 200 visible ASCII characters')
  })

  test.each(['posthorn-id', 'Posthorn-Anything', 'POSTHORN-'])('refuses the reserved name %s', (name) => {
    expect(refusal({ [name]: 'x' })).toBe(
      `The header "${name}" is reserved: choose a name that does not start with posthorn-.`,
    )
  })

  test.each(['__proto__', 'constructor', 'prototype'])('refuses the name %s', (name) => {
    expect(refusal(JSON.parse(`{"${name}":"x"}`))).toBe(
      `A header cannot be called "${name}": choose another name.`,
    )
  })

  test.each([
    [5, '5'],
    [null, 'null'],
    [{}, 'an object'],
    [['a'], 'an array of 1'],
    [true, 'true'],
  ])('refuses the value %p', (value, shown) => {
    expect(refusal({ 'x-count': value })).toBe(
      `The header "x-count" must be a string, but is ${shown}: convert it before sending.`,
    )
  })

  test.each(['a\nb', 'a\rb', 'a\0b'])('refuses the text %j', (value) => {
    expect(refusal({ a: value })).toContain('NUL, CR or LF')
  })

  test('refuses text that cannot be written as UTF-8', () => {
    expect(refusal({ a: 'x\ud800' })).toContain('surrogate')
  })

  test.each<[unknown]>([
    [null],
    [5],
    ['a: b'],
    [[['a', 'b']]],
    [new Map([['a', 'b']])],
    [new Headers({ a: 'b' })],
  ])('refuses %p as headers', (headers) => {
    expect(refusal(headers)).toContain('The headers must be a plain object of strings')
  })

  test('does not show the value of a header', () => {
    expect(refusal({ authorization: 'secret\n' })).not.toContain('secret')
  })
})
