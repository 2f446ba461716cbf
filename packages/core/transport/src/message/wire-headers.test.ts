import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readEnvelope, writeEnvelope } from './wire-headers.ts'
import { headerNames } from './header-names.ts'
import { wireMessage } from '../../test/wire-message.ts'
import type { EnvelopeField } from './header-names.ts'
import type { WireMessage } from '../contract/wire-message.ts'

const allFields = Object.keys(headerNames) as EnvelopeField[]
const body = new Uint8Array([1, 2])
const now = 1_700_000_000_000

const plain: WireMessage = wireMessage('id-1', 2, { time: now, body })

const text = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .filter((value) => !/\p{Cc}/u.test(value) && value.length <= 255)
const time = fc.integer({ min: 0, max: 8_640_000_000_000_000 })
const count = fc.integer({ min: 0, max: 1_000_000_000 })
const maybe = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(arbitrary, { nil: undefined })

const messages: fc.Arbitrary<WireMessage> = fc.record({
  id: fc.stringMatching(/^[!-~]{1,128}$/),
  type: text,
  time,
  body: fc.constant(body),
  contentType: text,
  headers: fc.dictionary(
    fc.stringMatching(/^x-[a-zA-Z0-9]{1,10}$/),
    fc.string().filter((value) => !/[\0\r\n]/.test(value)),
    { maxKeys: 4, noNullPrototype: false },
  ),
  key: maybe(text),
  routingKey: text,
  correlationId: maybe(text),
  causationId: maybe(text),
  replyTo: maybe(text),
  expiresAt: maybe(time),
  priority: maybe(fc.integer({ min: 0, max: 9 })),
  notBefore: maybe(time),
  attempt: count.map((value) => value + (value === 0 ? 1 : 0)),
  releases: count,
  trials: count,
  idMadeUp: fc.boolean(),
  replays: count,
  firstFailedAt: maybe(time),
  lastFailedAt: maybe(time),
  lastError: maybe(text),
})

describe('writeEnvelope', () => {
  test('writes what a reader could not know, and nothing else', () => {
    expect({ ...writeEnvelope(plain, new Set()) }).toEqual({
      'posthorn-id': 'id-1',
      'posthorn-type': 'order.created',
      'posthorn-time': String(now),
      'posthorn-content-type': 'application/json',
    })
  })

  test('leaves out the fields that the broker has properties for', () => {
    const headers = writeEnvelope(
      { ...plain, headers: { a: 'b' }, key: 'k', attempt: 3 },
      new Set(['id', 'type', 'time', 'contentType', 'key']),
    )

    expect({ ...headers }).toEqual({ a: 'b', 'posthorn-attempt': '3' })
    expect(Object.getPrototypeOf(headers)).toBeNull()
  })

  test('writes no control characters into the last error, and no more than 256 characters', () => {
    const headers = writeEnvelope(
      { ...plain, lastError: `Error: two\r\nlines\0${'x'.repeat(300)}` },
      new Set(),
    )

    expect(headers['posthorn-last-error']).toBe(`Error: two  lines ${'x'.repeat(300)}`.slice(0, 256))
  })

  test('writes what readEnvelope reads back, whatever the broker has properties for', () => {
    fc.assert(
      fc.property(messages, fc.subarray(allFields), (message, nativeFields) => {
        const written = writeEnvelope(message, new Set(nativeFields))
        const native = Object.fromEntries(nativeFields.map((field) => [field, message[field]]))
        const reading = readEnvelope({
          headers: written,
          native,
          body,
          position: undefined,
          now,
          createId: () => 'made-up',
        })

        expect(reading.invalid).toBeUndefined()
        expect({ ...reading.message, headers: { ...reading.message.headers } }).toEqual(message)
      }),
      { numRuns: 500 },
    )
  })
})
