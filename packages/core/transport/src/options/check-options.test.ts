import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import {
  callback,
  checkOptions,
  custom,
  duration,
  flag,
  list,
  oneOf,
  required,
  shape,
  text,
  wholeNumber,
} from './check-options.ts'
import { isPosthornError } from '../errors.ts'
import type { Rule } from './check-options.ts'

const where = 'consume("orders")'

/** The error as `CODE: message`, or `fine`. */
function check(given: unknown, rules: Readonly<Record<string, Rule>>): string {
  try {
    checkOptions(where, given, rules)
    return 'fine'
  } catch (error) {
    if (!isPosthornError(error) || error.phase !== 'options') throw error
    return `${error.code}: ${error.message}`
  }
}

describe('checkOptions', () => {
  test.each<[unknown, string]>([
    [0, '0'],
    [-1, '-1'],
    [Number.NaN, 'NaN'],
    [1.5, '1.5'],
    ['5', '"5"'],
    [null, 'null'],
    [Infinity, 'Infinity'],
    [5n, '5n'],
    [1_001, '1001'],
  ])('refuses a concurrency of %p', (concurrency, shown) => {
    expect(check({ concurrency }, { concurrency: wholeNumber({ min: 1, max: 1_000 }) })).toBe(
      `POSTHORN_INVALID_OPTION: consume("orders").concurrency must be a whole number from 1 to 1,000, but is ${shown}.`,
    )
  })

  test('takes options left out, or undefined, but for required ones', () => {
    const rules = { concurrency: wholeNumber(), url: required(text()) }

    expect(check(undefined, { concurrency: wholeNumber() })).toBe('fine')
    expect(check({ concurrency: undefined, url: 'x' }, rules)).toBe('fine')
    expect(check({}, rules)).toBe(
      'POSTHORN_INVALID_OPTION: consume("orders").url must be a string that is not empty, but is missing.',
    )
    expect(check({ url: undefined }, rules)).toContain('is missing')
  })

  test('suggests the option that was meant, and lists those that there are', () => {
    expect(check({ concurency: 5 }, { concurrency: wholeNumber(), prefetch: wholeNumber() })).toBe(
      'POSTHORN_UNKNOWN_OPTION: consume("orders") has no option "concurency". Did you mean "concurrency"? ' +
        'Known options: concurrency, prefetch.',
    )
    expect(check({ colour: 'red' }, { prefetch: wholeNumber() })).toBe(
      'POSTHORN_UNKNOWN_OPTION: consume("orders") has no option "colour". Known options: prefetch.',
    )
    expect(check({ a: 1 }, {})).toContain('There are none here.')
    expect(check({ misspelled: undefined }, {})).toBe('fine')
  })

  test('takes names that every object has for unknown ones', () => {
    for (const name of ['toString', 'constructor', '__proto__']) {
      const given: unknown = JSON.parse(`{"${name}":1}`)
      expect(check(given, { prefetch: wholeNumber() })).toContain('POSTHORN_UNKNOWN_OPTION')
    }
    expect(check({}, { constructor: required(wholeNumber()) })).toContain('is missing')
  })

  test.each<[unknown, string]>([
    [null, 'null'],
    [5, '5'],
    ['concurrency=5', '"concurrency=5"'],
    [[], 'an array of 0'],
    [() => 1, 'a function'],
    [new Map(), 'an object (Map)'],
    [new (class Options {})(), 'an object (Options)'],
  ])('refuses %p as options', (given, shown) => {
    expect(check(given, {})).toBe(
      `POSTHORN_INVALID_OPTION: The options of consume("orders") must be a plain object, but are ${shown}.`,
    )
  })

  test('takes objects without a prototype, and those of another realm', () => {
    const rules = { prefetch: wholeNumber() }

    expect(check(Object.assign(Object.create(null) as object, { prefetch: 1 }), rules)).toBe('fine')
    expect(check(runInNewContext('({ prefetch: 1 })'), rules)).toBe('fine')
  })

  test.each([
    'password',
    'dbPassword',
    'url',
    'URL',
    'clientSecret',
    'token',
    'accessToken',
    'credentials',
    'apiKey',
  ])('never shows what was given as %s', (name) => {
    const shown = [
      check({ [name]: ['hunter2'] }, { [name]: text() }),
      check({ [name]: 'hunter2' }, { [name]: flag() }),
      check({ [name]: ['hunter2'] }, { [name]: list(flag()) }),
      check({ [name]: { user: 'hunter2' } }, { [name]: shape({ user: flag() }) }),
      check({ [name]: 'hunter2' }, { [name]: shape({ user: flag() }) }),
    ]

    for (const message of shown) {
      expect(message).toContain('(hidden)')
      expect(message).not.toContain('hunter2')
    }
  })

  test('cuts long values', () => {
    expect(check({ name: 'x'.repeat(10_000) }, { name: text({ max: 50 }) }).length).toBeLessThan(300)
  })
})

describe('rules', () => {
  test.each<[string, Rule, readonly unknown[], readonly unknown[], string]>([
    [
      'wholeNumber',
      wholeNumber(),
      [0, 1, Number.MAX_SAFE_INTEGER],
      [-1, 0.5, 2 ** 53, '1', true],
      'a whole number from 0',
    ],
    ['wholeNumber with a minimum', wholeNumber({ min: 2 }), [2], [1], 'a whole number from 2'],
    [
      'duration',
      duration(),
      [0, 0.5, 1e9],
      [-1, Number.NaN, Infinity, '5', '5s', null, 5n],
      'a number of milliseconds from 0',
    ],
    [
      'duration with bounds',
      duration({ min: 1, max: 60_000 }),
      [1, 60_000],
      [0.5, 60_001],
      'a number of milliseconds from 1 to 60,000',
    ],
    ['oneOf', oneOf('none', 'key'), ['none', 'key'], ['keys', 0, null, ['none']], 'one of "none", "key"'],
    ['oneOf a single value', oneOf(true), [true], [false, 'true'], 'true'],
    ['text', text(), ['a', ' '], ['', 5, null, ['a']], 'a string that is not empty'],
    ['text with a maximum', text({ max: 3 }), ['a', 'abc'], ['', 'abcd'], 'a string of 1 to 3 characters'],
    ['text that may be empty', text({ min: 0 }), [''], [5], 'a string'],
    ['text with a minimum', text({ min: 2 }), ['ab'], ['a'], 'a string of at least 2 characters'],
    ['flag', flag(), [true, false], [0, 'true', null], 'true or false'],
    ['callback', callback(), [() => 1, class {}], [null, {}, 'f'], 'a function'],
    ['list', list(text()), [[], ['a']], ['a', { length: 1 }, new Set(['a'])], 'an array'],
    [
      'list with bounds',
      list(flag(), { min: 1, max: 2 }),
      [[true], [true, false]],
      [[], [true, true, true]],
      'an array of 1 to 2 items',
    ],
    ['list with a minimum', list(flag(), { min: 1 }), [[true]], [[]], 'an array of at least 1 items'],
    ['custom', custom('an even number', (value) => Number(value) % 2 === 0), [2], [3], 'an even number'],
  ])('%s takes what it should and refuses the rest, saying what is wanted', (_, rule, good, bad, wanted) => {
    for (const value of good) expect(check({ it: value }, { it: rule })).toBe('fine')
    for (const value of bad) {
      expect(check({ it: value }, { it: rule })).toContain(
        `INVALID_OPTION: consume("orders").it must be ${wanted}, but is `,
      )
    }
  })

  test('names the item of a list', () => {
    const rules = { patterns: list(text()) }

    expect(check({ patterns: ['a', 'b', 5] }, rules)).toContain('consume("orders").patterns[2] must be')
    // oxlint-disable-next-line no-sparse-arrays
    expect(check({ patterns: ['a', , 'b'] }, rules)).toContain('consume("orders").patterns[1] must be')
  })

  test('checks options inside of an option', () => {
    const rules = { batch: shape({ max: required(wholeNumber({ min: 1 })), waitMs: duration() }) }

    expect(check({ batch: { max: 5 } }, rules)).toBe('fine')
    expect(check({ batch: { waitMs: 5 } }, rules)).toContain('consume("orders").batch.max must be')
    expect(check({ batch: { max: 5, waitms: 1 } }, rules)).toContain(
      'consume("orders").batch has no option "waitms". Did you mean "waitMs"?',
    )
    expect(check({ batch: 5 }, rules)).toContain(
      'The options of consume("orders").batch must be a plain object, but are 5.',
    )
  })
})
