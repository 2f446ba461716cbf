import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { headerNames } from './header-names.ts'
import { readEnvelope } from './read-envelope.ts'
import type { EnvelopeField } from './header-names.ts'
import type { EnvelopeInput, EnvelopeReading } from './read-envelope.ts'
import type { WireMessage } from '../contract/wire-message.ts'

const allFields = Object.keys(headerNames) as EnvelopeField[]
const body = new Uint8Array([1, 2])
const now = 1_700_000_000_000

function read(input: Partial<EnvelopeInput>): EnvelopeReading {
  return readEnvelope({
    headers: {},
    native: {},
    body,
    position: undefined,
    now,
    createId: () => 'made-up',
    ...input,
  })
}

describe('readEnvelope', () => {
  test('reads a message of somebody else that has nothing but a body', () => {
    expect(read({})).toEqual({
      message: {
        id: 'made-up',
        idMadeUp: true,
        type: '',
        time: now,
        body,
        contentType: '',
        headers: {},
        key: undefined,
        routingKey: '',
        correlationId: undefined,
        causationId: undefined,
        replyTo: undefined,
        expiresAt: undefined,
        priority: undefined,
        notBefore: undefined,
        attempt: 1,
        releases: 0,
        trials: 0,
        replays: 0,
        firstFailedAt: undefined,
        lastFailedAt: undefined,
        lastError: undefined,
      },
      invalid: undefined,
    })
  })

  test('takes a missing header table for an empty one', () => {
    expect(read({ headers: undefined }).invalid).toBeUndefined()
  })

  test('takes the id from the header, the property, the position, in this order', () => {
    const header = { 'posthorn-id': 'from-header' }
    const native = { id: 'from-property' }
    const position = 'orders/0/17'

    expect(read({ headers: header, native, position }).message.id).toBe('from-header')
    expect(read({ native, position }).message.id).toBe('from-property')
    expect(read({ position })).toMatchObject({ message: { id: position, idMadeUp: false } })
    expect(read({})).toMatchObject({ message: { id: 'made-up', idMadeUp: true } })
  })

  test('takes the type from the native property, and the type as the routing key', () => {
    expect(read({ native: { type: 'order.created' } }).message).toMatchObject({
      type: 'order.created',
      routingKey: 'order.created',
    })
    expect(read({ native: { type: 'order.created', routingKey: 'eu.order' } }).message.routingKey).toBe(
      'eu.order',
    )
  })

  test('takes the content type of other senders from their header', () => {
    expect(read({ headers: { 'content-type': 'application/xml' } }).message.contentType).toBe(
      'application/xml',
    )
    expect(
      read({ headers: { 'content-type': 'application/xml' }, native: { contentType: 'text/plain' } }).message
        .contentType,
    ).toBe('text/plain')
  })

  test('keeps the headers of other senders as text, whatever they are', () => {
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    const { message, invalid } = read({
      headers: {
        text: 'a\nb',
        number: 5,
        yes: true,
        nothing: null,
        missing: undefined,
        bytes: Buffer.from('grün'),
        table: { a: [1] },
        big: 2n ** 70n,
        'with space: ä': 'x',
        when: new Date(0),
        circular,
        odd: () => 1,
      },
    })

    expect(invalid).toBeUndefined()
    expect({ ...message.headers }).toEqual({
      text: 'a\nb',
      number: '5',
      yes: 'true',
      nothing: 'null',
      bytes: 'grün',
      table: '{"a":[1]}',
      big: '1180591620717411303424',
      'with space: ä': 'x',
      when: '"1970-01-01T00:00:00.000Z"',
      circular: '',
      odd: '',
    })
    expect(Object.getPrototypeOf(message.headers)).toBeNull()
    expect(Object.isFrozen(message.headers)).toBe(true)
  })

  test('knows its own headers in any case, and keeps them from the user', () => {
    const { message } = read({
      headers: { 'Posthorn-Attempt': '4', 'POSTHORN-KEY': 'k', 'posthorn-of-later': 'x', a: 'b' },
    })

    expect(message).toMatchObject({ attempt: 4, key: 'k' })
    expect({ ...message.headers }).toEqual({ a: 'b' })
  })

  test('reads numbers that the broker gives as numbers or as bytes', () => {
    expect(
      read({ headers: { 'posthorn-attempt': 3, 'posthorn-time': Buffer.from('5') } }).message,
    ).toMatchObject({
      attempt: 3,
      time: 5,
    })
  })

  test('takes the levels of brokers that have more for the highest one', () => {
    expect(read({ native: { priority: 200 } })).toMatchObject({
      invalid: undefined,
      message: { priority: 9 },
    })
  })

  test('takes long keys of other senders', () => {
    const key = `\u0001${'k'.repeat(2_000)}`

    expect(read({ native: { key } })).toMatchObject({ invalid: undefined, message: { key } })
  })

  test.each<[string, unknown, Partial<WireMessage>]>([
    ['posthorn-attempt', '-1', { attempt: 1 }],
    ['posthorn-attempt', '0', { attempt: 1 }],
    ['posthorn-attempt', '1e309', { attempt: 1 }],
    ['posthorn-attempt', 'x', { attempt: 1 }],
    ['posthorn-attempt', '', { attempt: 1 }],
    ['posthorn-attempt', '1.5', { attempt: 1 }],
    ['posthorn-attempt', ' 1', { attempt: 1 }],
    ['posthorn-attempt', '0x10', { attempt: 1 }],
    ['posthorn-attempt', '99999999999999999999', { attempt: 1 }],
    ['posthorn-attempt', Infinity, { attempt: 1 }],
    ['posthorn-attempt', null, { attempt: 1 }],
    ['posthorn-attempt', ['2'], { attempt: 1 }],
    ['posthorn-releases', '-1', { releases: 0 }],
    ['posthorn-replays', 'many', { replays: 0 }],
    ['posthorn-id-made-up', 'perhaps', { idMadeUp: true }],
    ['posthorn-version', '2', {}],
    ['posthorn-version', '', {}],
    ['posthorn-version', '1.0', {}],
    ['posthorn-time', '-5', { time: now }],
    ['posthorn-time', '9999999999999999', { time: now }],
    ['posthorn-expires-at', '2026-01-01', { expiresAt: undefined }],
    ['posthorn-not-before', 'NaN', { notBefore: undefined }],
    ['posthorn-first-failed-at', '-1', { firstFailedAt: undefined }],
    ['posthorn-last-failed-at', '1e5', { lastFailedAt: undefined }],
    ['posthorn-priority', '10', { priority: undefined }],
    ['posthorn-priority', 'high', { priority: undefined }],
    ['posthorn-id', '', { id: 'made-up' }],
    ['posthorn-id', 'a\nb', { id: 'made-up' }],
    ['posthorn-id', 'x'.repeat(256), { id: 'made-up' }],
    ['posthorn-type', 'a\0b', { type: '' }],
    ['posthorn-type', 'x'.repeat(100_000), { type: '' }],
    ['posthorn-routing-key', '\u007f', { routingKey: '' }],
    ['posthorn-correlation-id', '\r\n', { correlationId: undefined }],
    ['posthorn-causation-id', '\t', { causationId: undefined }],
    ['posthorn-reply-to', 'a\nb', { replyTo: undefined }],
    ['posthorn-content-type', 'a\nb', { contentType: '' }],
  ])('does not trust %s %j', (name, value, safe) => {
    const { message, invalid } = read({ headers: { [name]: value } })

    expect(invalid).toContain(`The header ${name} is `)
    expect(invalid!.length).toBeLessThan(400)
    expect(message).toMatchObject(safe)
  })

  test.each(['__proto__', 'constructor', 'prototype', '', 'a\nb', 'a\0'])(
    'does not trust a header called %j',
    (name) => {
      const headers = Object.defineProperty({}, name, { value: 'x', enumerable: true })
      const { message, invalid } = read({ headers })

      expect(invalid).toContain(`A header is called ${JSON.stringify(name)}`)
      expect(Object.keys(message.headers)).toEqual([])
    },
  )

  test('does not trust native properties that are not what they must be', () => {
    for (const native of [
      { time: -1 },
      { attempt: 0.5 },
      { type: 'a\nb' },
      { priority: Number.NaN },
      { expiresAt: 1e300 },
    ]) {
      const [field] = Object.keys(native)
      expect(read({ native }).invalid).toContain(`The native property for ${field} is `)
    }
    expect(read({ native: { type: 5 as unknown as string } }).invalid).toContain(
      'native property for type is 5',
    )
  })

  test('tells the first of several problems', () => {
    expect(read({ headers: { 'posthorn-version': '9', 'posthorn-attempt': 'x' } }).invalid).toContain(
      'posthorn-version',
    )
  })

  test('never throws and always gives a safe message, whatever the headers are', () => {
    const names = fc.oneof(
      fc.constantFrom(...Object.values(headerNames), 'posthorn-version', '__proto__', 'a'),
      fc.string(),
    )
    fc.assert(
      fc.property(
        fc.array(fc.tuple(names, fc.anything())),
        fc.record(Object.fromEntries(allFields.map((field) => [field, fc.anything()])), { requiredKeys: [] }),
        (entries, native) => {
          const headers: Record<string, unknown> = Object.create(null)
          for (const [name, value] of entries) headers[name] = value
          const { message } = read({ headers, native })

          expect(message.id).not.toBe('')
          expect(Number.isInteger(message.attempt) && message.attempt >= 1).toBe(true)
          for (const field of ['releases', 'replays', 'time'] as const) {
            expect(Number.isInteger(message[field]) && message[field] >= 0).toBe(true)
          }
          for (const field of ['id', 'type', 'routingKey', 'contentType'] as const)
            expect(typeof message[field]).toBe('string')
          for (const value of Object.values(message.headers)) expect(typeof value).toBe('string')
        },
      ),
      { numRuns: 1_000 },
    )
  })
})
