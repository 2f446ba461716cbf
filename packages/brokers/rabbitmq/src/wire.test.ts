import { describe, expect, test } from 'vitest'
import { wireMessage } from '../test/wire-message.ts'
import { deliveriesOf, fromWire } from './from-wire.ts'
import { toBuffer, toWire } from './to-wire.ts'
import type { WireMessage } from '@posthorn/transport/driver'
import type { Message } from 'amqplib'

/** A UUID of version 7 that was made at the time of `plain`. */
const timedId = '018bcfe5-687b-7abc-8def-0123456789ab'

const plain = wireMessage({
  id: 'order-1',
  time: 1_700_000_000_123,
  body: Buffer.from('{}'),
  contentType: 'application/json',
})

const full: WireMessage = {
  ...plain,
  headers: { 'x-tenant': 'a', plain: 'ü' },
  key: 'customer-1',
  routingKey: 'order.eu.created',
  correlationId: 'request-1',
  causationId: 'order-0',
  replyTo: 'inbox/1',
  expiresAt: 1_800_000_000_000,
  priority: 9,
  notBefore: 1_750_000_000_000,
  attempt: 3,
  releases: 2,
  trials: 1,
  replays: 1,
  firstFailedAt: 1_700_000_001_000,
  lastFailedAt: 1_700_000_002_000,
  lastError: 'Error: no',
}

const context = { namespace: 'shop', now: 5, createId: () => 'made-up' }

/** As the broker would hand it out. */
function handOut(properties: object, fields: object = {}, content: Buffer = Buffer.from('{}')): Message {
  return {
    content,
    properties,
    fields: { deliveryTag: 1, redelivered: false, exchange: '', routingKey: 'shop:orders', ...fields },
  } as unknown as Message
}

describe('there and back', () => {
  test.each([
    ['a plain message', plain],
    ['one with every field', full],
    [
      'one whose texts are too long for properties',
      { ...full, type: 'é'.repeat(200), correlationId: 'ü'.repeat(255) },
    ],
    ['one whose id says its time', { ...plain, id: timedId }],
    ['one whose id says another time of the same second', { ...plain, id: timedId, time: plain.time + 1 }],
    ['one whose id says another second', { ...plain, id: timedId, time: plain.time + 1_000 }],
    ['one without type and content type', { ...plain, type: '', routingKey: '', contentType: '' }],
  ])('%s is the same', (_, message) => {
    const { message: read, invalid } = fromWire(handOut(toWire(message, 'shop')), context)
    expect({ ...read, headers: { ...read.headers } }).toEqual(message)
    expect(invalid).toBeUndefined()
  })

  test('native properties say what they can, for programs without Posthorn', () => {
    expect(toWire(full, 'shop')).toMatchObject({
      messageId: 'order-1',
      type: 'order.created',
      contentType: 'application/json',
      correlationId: 'request-1',
      replyTo: 'shop:inbox/1',
      priority: 9,
      timestamp: 1_700_000_000,
      deliveryMode: 2,
    })
    expect(toWire(plain, '')).not.toHaveProperty('expiration')
  })

  test('a message that has nothing to say beside its properties has no headers', () => {
    expect(toWire({ ...plain, id: timedId }, 'shop').headers).toBeUndefined()
  })

  test("the driver's own headers are not the user's", () => {
    const wire = toWire(plain, '', { 'posthorn-slot': '1', 'posthorn-return': 'orders' })
    expect(wire.headers).toMatchObject({ 'posthorn-slot': '1', 'posthorn-return': 'orders' })
    expect({ ...fromWire(handOut(wire), context).message.headers }).toEqual({})
  })
})

describe('messages of others', () => {
  test('a body alone is the first attempt of a message with an id made up here', () => {
    const { message, invalid } = fromWire(handOut({ headers: undefined }), context)
    expect(message).toMatchObject({
      id: 'made-up',
      idMadeUp: true,
      type: '',
      routingKey: '',
      time: 5,
      attempt: 1,
    })
    expect(invalid).toBeUndefined()
  })

  test('an id that was made up is not taken for a stable one in a copy', () => {
    const { message } = fromWire(handOut({ headers: undefined }), context)
    const copy = fromWire(handOut(toWire(message, '')), context)
    expect([copy.message.id, copy.message.idMadeUp]).toEqual(['made-up', true])
  })

  test('the routing key is the exchange’s, and the time that of the property', () => {
    const raw = handOut(
      { headers: {}, timestamp: 7, messageId: 'm' },
      { exchange: 'events', routingKey: 'order.paid' },
    )
    expect(fromWire(raw, context).message).toMatchObject({ routingKey: 'order.paid', time: 7_000, id: 'm' })
  })

  test.each([
    ['posthorn', 'order.created'],
    ['posthorn/1.0', 'order.created'],
    ['posthorn-billing', 'order.paid'],
  ])('from an application called %s have the routing key %s', (name, routingKey) => {
    const fields = { exchange: 'events', routingKey: 'order.paid' }
    const raw = handOut({ appId: name, type: 'order.created', messageId: 'm' }, fields)
    expect(fromWire(raw, context).message.routingKey).toBe(routingKey)
  })

  test('the time of an id counts within the second of the property alone', () => {
    const at = (timestamp: number): number =>
      fromWire(handOut({ messageId: timedId, timestamp }), context).message.time
    expect([at(1_700_000_000), at(1_700_000_001)]).toEqual([1_700_000_000_123, 1_700_000_001_000])
  })

  test.each([
    'x-death',
    'x-first-death-queue',
    'x-last-death-reason',
    'x-delivery-count',
    'x-acquired-count',
    'CC',
    'BCC',
  ])('the header %s is gone from copies', (name) => {
    const raw = handOut({ headers: { [name]: ['orders'], 'x-tenant': 'a' }, expiration: '5' })
    const { message } = fromWire(raw, context)
    expect({ ...message.headers }).toEqual({ 'x-tenant': 'a' })
    expect(toWire(message, '')).not.toHaveProperty('expiration')
  })

  test('a priority above ours is our highest, and a reply goes where it says', () => {
    const raw = handOut({ headers: {}, priority: 200, replyTo: 'amq.gen-1' })
    expect(fromWire(raw, context).message).toMatchObject({ priority: 9, replyTo: 'amq.gen-1' })
  })
})

test.each([
  [{}, false, 1],
  [{}, true, 2],
  [{ 'x-delivery-count': 4 }, true, 5],
  [{ 'x-delivery-count': 4 }, false, 1],
  [{ 'x-delivery-count': 'forged' }, true, 2],
])('headers %j, redelivered %s: hand-out %d', (headers, redelivered, deliveries) => {
  expect(deliveriesOf(handOut({ headers }, { redelivered }))).toBe(deliveries)
})

test('a body that is a view is not copied', () => {
  const bytes = new Uint8Array([1, 2, 3, 4]).subarray(1, 3)
  const buffer = toBuffer(bytes)
  expect([...buffer]).toEqual([2, 3])
  expect(buffer.buffer).toBe(bytes.buffer)
})
