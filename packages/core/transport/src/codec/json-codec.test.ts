import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonCodec, rawCodec } from './json-codec.ts'
import { isPosthornError } from '../errors.ts'
import { noBody } from '../message/no-body.ts'

const toText = (data: unknown): string => Buffer.from(jsonCodec.encode(data).body).toString()
const decodeText = (text: string, contentType = 'application/json'): unknown =>
  jsonCodec.decode(Buffer.from(text), contentType)

function catchError(action: () => unknown): { readonly code: string; readonly message: string } {
  try {
    action()
  } catch (error) {
    if (isPosthornError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

function decodeOrRefuse(body: Uint8Array, contentType: string): string {
  try {
    jsonCodec.decode(body, contentType)
    return 'data'
  } catch (error) {
    return isPosthornError(error) ? error.code : String(error)
  }
}

/** Data nested so many levels deep. */
function nest(levels: number, inner: unknown = 1): unknown {
  let data = inner
  for (let level = 0; level < levels; level += 1) data = level % 2 === 0 ? [data] : { in: data }
  return data
}

const circle: Record<string, unknown> = { name: 'a circle' }
circle['parts'] = [{ whole: circle }]
const circularList: unknown[] = []
circularList.push(circularList)

describe('encoding JSON', () => {
  test('gives back what was sent, whatever JSON value it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (data) => {
        const { body, contentType } = jsonCodec.encode(data)
        expect(contentType).toBe('application/json')
        expect(Buffer.from(body).toString()).toBe(JSON.stringify(data))
        expect(jsonCodec.decode(body, contentType)).toEqual(JSON.parse(JSON.stringify(data)))
      }),
    )
  })

  test('writes what JSON.stringify would for instances, dates, toJSON and boxed values', () => {
    class Money {
      readonly amount = 5
      readonly currency = 'EUR'
    }
    class Secretive {
      readonly password = 'x'
      toJSON(): unknown {
        return { kind: 'hidden' }
      }
    }
    const shared = { n: 1 }
    const data = {
      at: new Date(0),
      money: new Money(),
      secretive: [new Secretive()],
      boxed: [new Number(1), new String('a'), new Boolean(false)],
      twice: [shared, shared],
      bytes: Buffer.from('ab'),
      left: undefined,
      gone: { toJSON: () => undefined },
      bare: Object.assign(Object.create(null) as object, { a: 1 }),
      url: new URL('https://example.com/'),
    }

    expect(toText(data)).toBe(JSON.stringify(data))
  })

  test('calls toJSON once, with its key', () => {
    const keys: string[] = []
    const part = {
      toJSON(key: string) {
        keys.push(key)
        return key
      },
    }

    expect(toText({ a: part, list: [part] })).toBe('{"a":"a","list":["0"]}')
    expect(toText(part)).toBe('""')
    expect(keys).toEqual(['a', '0', ''])
  })

  test('honours a toJSON that no loop over the fields would see', () => {
    const data = Object.defineProperty({ a: 1 }, 'toJSON', { value: () => ({ b: 2 }) })

    expect(toText({ data })).toBe('{"data":{"b":2}}')
  })

  test('leaves out fields that are undefined', () => {
    expect(toText({ a: undefined, b: 1 })).toBe('{"b":1}')
  })

  test('writes half of a surrogate pair as an escape', () => {
    expect(toText({ a: '\ud800' })).toBe(String.raw`{"a":"\ud800"}`)
  })

  test('keeps a field called __proto__ a field', () => {
    const data: unknown = JSON.parse('{"__proto__":{"admin":true}}')

    expect(toText(data)).toBe('{"__proto__":{"admin":true}}')
    expect(toText({ at: new Date(0), data })).toContain('"data":{"__proto__":{"admin":true}}')
  })

  test.each<[string, unknown, string, string]>([
    ['undefined', undefined, '$', 'undefined'],
    ['a function', () => 1, '$', 'a function'],
    ['a symbol', Symbol('s'), '$', 'a symbol'],
    ['a BigInt', 5n, '$', 'a BigInt'],
    ['NaN', Number.NaN, '$', 'NaN'],
    ['a Map', new Map([['a', 1]]), '$', 'a Map'],
    ['a price that is NaN', { items: [1, 2, 3, { price: Number.NaN }] }, '$.items[3].price', 'NaN'],
    ['an infinite number', { a: [-Infinity] }, '$.a[0]', '-Infinity'],
    ['undefined in an array', { list: [1, undefined] }, '$.list[1]', 'undefined'],
    // oxlint-disable-next-line no-sparse-arrays
    ['a hole in an array', [1, , 3], '$[1]', 'undefined'],
    ['a nested function', { a: { b: () => 1 } }, '$.a.b', 'a function'],
    ['a nested symbol', { a: [Symbol('s')] }, '$.a[0]', 'a symbol'],
    ['a nested BigInt', { order: { total: 5n } }, '$.order.total', 'a BigInt'],
    ['a boxed BigInt', [Object(5n)], '$[0]', 'a BigInt'],
    ['a boxed symbol', [Object(Symbol('s'))], '$[0]', 'a symbol'],
    ['a boxed NaN', [new Number(Number.NaN)], '$[0]', 'NaN'],
    ['a nested Map', { a: new Map() }, '$.a', 'a Map'],
    ['a nested Set', [new Set()], '$[0]', 'a Set'],
    ['a WeakMap', [new WeakMap()], '$[0]', 'a weak collection'],
    ['an invalid date', { at: new Date(Number.NaN) }, '$.at', 'an invalid Date'],
    ['nested bytes', { image: new Uint8Array(3) }, '$.image', 'binary (Uint8Array)'],
    ['an ArrayBuffer', new ArrayBuffer(3), '$', 'binary (ArrayBuffer)'],
    ['an array of floats', new Float64Array(3), '$', 'binary (Float64Array)'],
    ['a promise', { a: Promise.resolve(1) }, '$.a', 'a Promise'],
    ['an error', { error: new TypeError('x') }, '$.error', 'an Error'],
    ['a regular expression', { match: /a/ }, '$.match', 'a RegExp'],
    ['a toJSON that gives a BigInt', { a: { toJSON: () => 5n } }, '$.a', 'a BigInt'],
    ['a circle', circle, '$.parts[0].whole', 'circular'],
    ['a circular array', circularList, '$[0]', 'circular'],
    ['a field with an odd name', { 'a b': [Number.NaN] }, '$["a b"][0]', 'NaN'],
    ['a field of an instance', { at: new Date(0), n: Number.NaN }, '$.n', 'NaN'],
  ])('refuses %s, naming the path', (_, data, path, what) => {
    const error = catchError(() => jsonCodec.encode(data))

    expect(error).toMatchObject({ code: 'POSTHORN_INVALID_DATA', outcome: 'rejected', phase: 'publish' })
    expect(error.message).toContain(`: ${path} `)
    expect(error.message).toContain(what)
  })

  test('tells the cause when a toJSON throws', () => {
    const cause = new Error('not today')
    const data = {
      order: {
        toJSON() {
          throw cause
        },
      },
    }

    expect(catchError(() => jsonCodec.encode(data))).toMatchObject({
      code: 'POSTHORN_INVALID_DATA',
      message: expect.stringContaining('$.order has a toJSON that threw') as unknown,
      cause,
    })
  })

  test('takes 1,000 levels and refuses one more', () => {
    expect(toText(nest(1_000))).toHaveLength(1_000 * 2 + 500 * 5 + 1)
    expect(toText(nest(999, new Date(0)))).toContain('1970')
    const error = catchError(() => jsonCodec.encode(nest(1_001)))

    expect(error.code).toBe('POSTHORN_INVALID_DATA')
    expect(error.message).toContain('more than 1000 deep')
    expect(error.message.length).toBeLessThan(500)
  })

  test('refuses nesting that toJSON makes without end', () => {
    const endless = { toJSON: (): unknown => [endless] }

    expect(catchError(() => jsonCodec.encode(endless)).code).toBe('POSTHORN_INVALID_DATA')
  })
})

describe('encoding bytes', () => {
  test.each([jsonCodec, rawCodec])('sends a copy, which later changes do not reach', (codec) => {
    const data = new Uint8Array([1, 2, 3])
    const { body, contentType } = codec.encode(data)
    data[0] = 9

    expect([...body]).toEqual([1, 2, 3])
    expect(contentType).toBe('application/octet-stream')
    expect(codec.decode(body, contentType)).toBe(body)
  })

  test('sends no bytes as no bytes', () => {
    expect(jsonCodec.encode(new Uint8Array()).body).toHaveLength(0)
  })

  test('refuses anything else with the raw codec', () => {
    expect(catchError(() => rawCodec.encode({ a: 1 }))).toMatchObject({
      code: 'POSTHORN_INVALID_DATA',
      message: expect.stringContaining('an object') as unknown,
    })
  })

  test('gives the bytes with the raw codec even of JSON', () => {
    const body = Buffer.from('{}')

    expect(rawCodec.decode(body, 'application/json')).toBe(body)
  })
})

describe('decoding', () => {
  test('takes the body of a message that has none for null, and an empty one for a mistake', () => {
    expect(jsonCodec.decode(noBody, '')).toBe(null)
    expect(jsonCodec.decode(noBody, 'application/avro')).toHaveLength(0)
    expect(rawCodec.decode(noBody, '')).toHaveLength(0)
    expect(() => decodeText('', '')).toThrow('is empty')
  })

  test.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON',
    'application/cloudevents+json',
    'application/vnd.order.v1+json; charset=utf-8',
    'text/plain',
    '',
    '  ',
  ])('reads %j as JSON', (contentType) => {
    expect(decodeText('{"a":[1,"ü"]}', contentType)).toEqual({ a: [1, 'ü'] })
  })

  test.each([
    'application/octet-stream',
    'application/xml',
    'image/png',
    'application/x-protobuf',
    'application/jsonp',
  ])('gives the bytes of %s', (contentType) => {
    const body = Buffer.from('{"a":1}')

    expect(jsonCodec.decode(body, contentType)).toBe(body)
  })

  test('reads a plain Uint8Array that is a part of a larger buffer', () => {
    const whole = new TextEncoder().encode('xx{"a":1}xx')

    expect(jsonCodec.decode(whole.subarray(2, 9), '')).toEqual({ a: 1 })
  })

  test('reads past a byte order mark', () => {
    expect(decodeText('\ufeff{"a":1}')).toEqual({ a: 1 })
  })

  test('takes the replacement character where the sender wrote one', () => {
    expect(decodeText('"\ufffd"')).toBe('\ufffd')
  })

  test.each([
    ['a byte that is none', [0x22, 0xff, 0x22]],
    ['a character cut off', [0x22, 0xe2, 0x82, 0x22]],
    ['an overlong form', [0x22, 0xc0, 0xaf, 0x22]],
    ['a surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
  ])('refuses broken UTF-8: %s', (_, bytes) => {
    const error = catchError(() => jsonCodec.decode(Uint8Array.from(bytes), 'application/json'))

    expect(error).toMatchObject({ code: 'POSTHORN_UNDECODABLE', phase: 'receive' })
    expect(error.message).toContain('UTF-8')
  })

  test.each(['{', '{"a":}', 'undefined', "{'a':1}", '[1,]', '{"a":1}x', '\0'])(
    'refuses %j, which is no JSON',
    (text) => {
      expect(catchError(() => decodeText(text))).toMatchObject({
        code: 'POSTHORN_UNDECODABLE',
        message: expect.stringContaining('not valid JSON') as unknown,
      })
    },
  )

  test('does not show the body in the error', () => {
    const error = catchError(() => decodeText('{"password":"hunter2" oops}'))

    expect(error.message).not.toContain('hunter2')
    expect(error).not.toHaveProperty('cause', expect.anything())
  })

  test('refuses an empty body', () => {
    expect(catchError(() => decodeText('')).message).toContain('is empty')
  })

  test('refuses JSON nested 100,000 deep, closed or not', () => {
    const open = '['.repeat(100_000)

    for (const text of [open, open + ']'.repeat(100_000), `{"a":${open}`, '{"a":'.repeat(100_000)]) {
      expect(catchError(() => decodeText(text))).toMatchObject({
        code: 'POSTHORN_UNDECODABLE',
        message: expect.stringContaining('more than 1000 deep') as unknown,
      })
    }
  })

  test('reads what it sends at 1,000 levels, and nothing deeper', () => {
    const text = toText(nest(1_000))

    expect(JSON.stringify(decodeText(text))).toBe(text)
    expect(catchError(() => decodeText(`[${text}]`)).code).toBe('POSTHORN_UNDECODABLE')
  })

  test('does not count brackets inside of strings', () => {
    const data = { text: String.raw`[{"\ `.repeat(2_000), quoted: '"['.repeat(2_000) }

    expect(decodeText(JSON.stringify(data))).toEqual(data)
  })

  test('does not count siblings as levels', () => {
    const data = Array.from({ length: 5_000 }, () => [{}])

    expect(decodeText(JSON.stringify(data))).toEqual(data)
  })

  test('never gives an object another prototype', () => {
    const data = decodeText('{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}') as {
      admin?: unknown
    }

    expect(Object.getPrototypeOf(data)).toBe(Object.prototype)
    expect(Object.getPrototypeOf({ ...data })).toBe(Object.prototype)
    expect({ ...data }.admin).toBeUndefined()
    expect(({} as { admin?: unknown }).admin).toBeUndefined()
  })

  test('answers with data or a PosthornError, whatever the bytes are', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('', 'application/json', 'text/plain'),
        (body, type) => {
          const answer = decodeOrRefuse(body, type)
          expect(answer).toBeOneOf(['data', 'POSTHORN_UNDECODABLE'])
        },
      ),
    )
  })
})
