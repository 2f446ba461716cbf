import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkPattern, createMatcher, createRouter, matchesPattern } from './pattern.ts'

/** What the AMQP grammar says, word by word and without a thought for speed. */
function matchesNaively(pattern: readonly string[], key: readonly string[]): boolean {
  const [word, ...rest] = pattern
  if (word === undefined) return key.length === 0
  if (word === '#')
    return matchesNaively(rest, key) || (key.length > 0 && matchesNaively(pattern, key.slice(1)))
  return key.length > 0 && (word === '*' || word === key[0]) && matchesNaively(rest, key.slice(1))
}

const toWords = (key: string): readonly string[] => (key === '' ? [] : key.split('.'))

// Few words, so that many of them match.
const patterns = fc
  .array(fc.constantFrom('a', 'b', 'ab', '*', '#'), { minLength: 1, maxLength: 6 })
  .map((words) => words.join('.'))
const routingKeys = fc
  .array(fc.constantFrom('a', 'b', 'ab', ''), { maxLength: 6 })
  .map((words) => words.join('.'))

describe('checkPattern', () => {
  test.each([
    '#',
    '*',
    'order',
    'order.created',
    'order.*',
    '#.created',
    '*.#.*',
    'a-b.c_d',
    'ä.ö',
    'a'.repeat(255),
  ])('takes %s', (pattern) => {
    expect(() => checkPattern(pattern)).not.toThrow()
  })

  test.each([
    ['', 'is empty'],
    ['a..b', 'has an empty word'],
    ['.a', 'has an empty word'],
    ['a.', 'has an empty word'],
    ['.', 'has an empty word'],
    ['a*', 'the word "a*"'],
    ['order.*x.b', 'the word "*x"'],
    ['##', 'the word "##"'],
    ['a.#b', 'the word "#b"'],
    ['a'.repeat(256), '256 bytes'],
    ['ä'.repeat(128), '256 bytes'],
    [undefined as unknown as string, 'is not a string'],
    [['a'] as unknown as string, 'is not a string'],
  ])('refuses %j', (pattern, problem) => {
    let caught: unknown
    try {
      checkPattern(pattern)
    } catch (error) {
      caught = error
    }

    expect(caught).toMatchObject({
      code: 'POSTHORN_INVALID_PATTERN',
      message: expect.stringContaining(problem) as unknown,
    })
  })
})

describe('matchesPattern', () => {
  test.each([
    ['order.created', 'order.created', true],
    ['order.created', 'order.paid', false],
    ['order.created', 'order.created.now', false],
    ['order', 'order.created', false],
    ['*', 'order', true],
    ['*', 'order.created', false],
    ['*', '', false],
    ['order.*', 'order.created', true],
    ['order.*', 'order', false],
    ['order.*', 'order.', true],
    ['*.created', 'order.created', true],
    ['#', '', true],
    ['#', 'order', true],
    ['#', 'order.created.now', true],
    ['order.#', 'order', true],
    ['order.#', 'order.created.now', true],
    ['order.#', 'orders.created', false],
    ['#.created', 'created', true],
    ['#.created', 'order.item.created', true],
    ['a.#.b', 'a.b', true],
    ['a.#.b', 'a.x.y.b', true],
    ['a.#.b', 'a.x.y', false],
    ['#.*', '', false],
    ['#.*', 'a', true],
    ['*.#.*', 'a', false],
    ['*.#.*', 'a.b', true],
    ['#.#', '', true],
    ['#.a.#', 'x.a.y', true],
    ['#.a.#', 'x.y', false],
    ['order.created', 'Order.Created', false],
    ['a.*', 'a.*', true],
    ['a.b', 'a.*', false],
    ['a.b', 'a.#', false],
  ])('%s and %j: %s', (pattern, routingKey, expected) => {
    expect(matchesPattern(pattern, routingKey)).toBe(expected)
  })

  test('says what the grammar says for any pattern and key', () => {
    fc.assert(
      fc.property(patterns, routingKeys, (pattern, key) => {
        expect(matchesPattern(pattern, key)).toBe(matchesNaively(pattern.split('.'), toWords(key)))
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('createMatcher', () => {
  test('matches when any of its patterns does, again and again', () => {
    fc.assert(
      fc.property(
        fc.array(patterns, { maxLength: 5 }),
        fc.array(routingKeys, { maxLength: 5 }),
        (given, keys) => {
          const matches = createMatcher(given)
          for (const key of [...keys, ...keys]) {
            const expected = given.some((pattern) => matchesNaively(pattern.split('.'), toWords(key)))
            expect(matches(key)).toBe(expected)
          }
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test('matches nothing without patterns', () => {
    expect(createMatcher([])('')).toBe(false)
    expect(createMatcher([])('order')).toBe(false)
  })

  test('refuses an invalid pattern among valid ones', () => {
    expect(() => createMatcher(['order.#', 'a..b'])).toThrow('"a..b"')
  })

  test('answers patterns made of many # without trying all ways to match', () => {
    // Trying the ways one by one would take longer than the universe is old.
    const words = Array.from({ length: 63 }, () => '#.a').join('.')
    const matches = createMatcher([`${words}.b`, Array.from({ length: 127 }, () => '#').join('.') + '.c'])
    const key = Array.from({ length: 96 }, () => 'a').join('.')

    expect(matches(key)).toBe(false)
    expect(matches(`${key}.b`)).toBe(true)
    expect(matches(`${key}.c`)).toBe(true)
  })

  test('takes words that are names of what every object has', () => {
    const matches = createMatcher(['constructor.*', '__proto__.a'])

    expect(matches('constructor.x')).toBe(true)
    expect(matches('__proto__.a')).toBe(true)
    expect(matches('toString.x')).toBe(false)
  })
})

describe('createRouter', () => {
  test('gives each value once, however many of its patterns match', () => {
    const router = createRouter<string>()
    router.add('order.#', 'billing')
    router.add('*.created', 'billing')
    router.add('#', 'audit')
    router.add('payment.*', 'ledger')

    expect(router.route('order.created').toSorted()).toEqual(['audit', 'billing'])
    expect(router.route('payment.made').toSorted()).toEqual(['audit', 'ledger'])
    expect(router.route('')).toEqual(['audit'])
  })

  test('routes by what was added and removed, whatever it routed before', () => {
    const operations = fc.array(
      fc.record({
        kind: fc.constantFrom('add' as const, 'add' as const, 'remove' as const),
        pattern: patterns,
        value: fc.nat(3),
      }),
      { maxLength: 15 },
    )
    fc.assert(
      fc.property(operations, fc.array(routingKeys, { minLength: 1, maxLength: 4 }), (steps, keys) => {
        const router = createRouter<number>()
        const model = new Map<string, { readonly pattern: string; readonly value: number }>()
        for (const { kind, pattern, value } of steps) {
          if (kind === 'add') model.set(`${pattern} ${value}`, { pattern, value })
          else model.delete(`${pattern} ${value}`)
          router[kind](pattern, value)
          for (const key of keys) {
            const expected = new Set(
              [...model.values()]
                .filter((entry) => matchesNaively(entry.pattern.split('.'), toWords(key)))
                .map((entry) => entry.value),
            )
            expect(router.route(key)).toHaveLength(expected.size)
            expect(new Set(router.route(key))).toEqual(expected)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  test('still answers rightly after more keys than it remembers', () => {
    const router = createRouter<string>()
    router.add('order.*', 'a')
    router.add('order.7', 'b')
    const first = router.route('order.7')
    expect(router.route('order.7')).toBe(first)
    for (let index = 0; index < 5_000; index += 1) router.route(`order.${index}`)

    // Forgotten meanwhile, and found again.
    expect(router.route('order.7')).not.toBe(first)
    expect(router.route('order.7').toSorted()).toEqual(['a', 'b'])
  })

  test('refuses an invalid pattern, and takes one that was never added as removed', () => {
    const router = createRouter<string>()

    expect(() => router.add('a..b', 'x')).toThrow('an empty word')
    router.add('a.b.c', 'x')
    router.remove('a.b', 'x')
    router.remove('a.b.c.d', 'x')
    expect(router.route('a.b.c')).toEqual(['x'])
    router.remove('a.b.c', 'x')
    expect(router.route('a.b.c')).toEqual([])
  })
})
