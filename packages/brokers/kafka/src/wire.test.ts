import { noBody } from '@posthorn/transport/driver'
import { describe, expect, test } from 'vitest'
import { fromWire } from './from-wire.ts'
import { toWire } from './to-wire.ts'
import type { KafkaRecord } from './protocol/record.ts'
import type { WireMessage } from '@posthorn/transport/driver'

const place = { topic: 'orders', partition: 2, now: 5_000 }

const message: WireMessage = {
  id: 'order-1',
  idMadeUp: false,
  type: 'order.created',
  time: 1_700_000_000_123,
  body: Buffer.from('{}'),
  contentType: 'application/json',
  headers: { tenant: 'acme', ce_id: 'mine', ce_source: 'posthorn:mine', 'content-type': 'mine too' },
  key: 'customer-1',
  routingKey: 'order.created',
  correlationId: 'c',
  causationId: undefined,
  replyTo: 'inbox/1',
  expiresAt: 1_800_000_000_000,
  priority: 5,
  notBefore: undefined,
  attempt: 3,
  releases: 0,
  trials: 0,
  replays: 1,
  firstFailedAt: 1,
  lastFailedAt: 2,
  lastError: 'Error: no',
}

function stored(written: ReturnType<typeof toWire>): KafkaRecord {
  const { timestamp, key, value, headers } = written
  return {
    offset: 7,
    nextOffset: 8,
    timestamp,
    key: key === undefined ? undefined : Buffer.from(key),
    value: value === undefined ? undefined : Buffer.from(value),
    headers,
    problem: undefined,
  }
}

test('every field comes back', () => {
  const { message: read, invalid } = fromWire(stored(toWire(message, 'orders', 2e12)), place)
  expect(invalid).toBeUndefined()
  expect({ ...read, headers: { ...read.headers } }).toEqual(message)
})

test('it is a CloudEvent in binary mode', () => {
  const { headers } = toWire(message, 'orders', 2e12)
  expect(headers).toMatchObject({
    ce_specversion: '1.0',
    ce_id: 'order-1',
    ce_source: 'posthorn:orders',
    ce_type: 'order.created',
    ce_time: '2023-11-14T22:13:20.123Z',
    'content-type': 'application/json',
  })
})

test('the time of a record is never in the future, which brokers refuse', () => {
  const record = toWire({ ...message, time: 9_000 }, 'orders', 5_000)
  expect(record.timestamp).toBe(5_000)
  expect(fromWire(stored(record), place).message.time).toBe(9_000)
})

const theirs: KafkaRecord = {
  offset: 7,
  nextOffset: 8,
  timestamp: 1_000,
  key: Buffer.from('k'),
  value: Buffer.from('{"a":1}'),
  headers: { 'content-type': 'application/json', trace: 't' },
  problem: undefined,
}
const readTheirs = (changes: Partial<KafkaRecord>): WireMessage =>
  fromWire({ ...theirs, ...changes }, place).message
const copyOf = (read: WireMessage): WireMessage =>
  fromWire(stored(toWire(read, 'orders', 2e12)), place).message

describe("somebody else's record", () => {
  test('has its place as its id, and its own headers', () => {
    const read = readTheirs({})
    expect(read).toMatchObject({
      id: 'orders/2/7',
      idMadeUp: false,
      type: '',
      time: 1_000,
      key: 'k',
      contentType: 'application/json',
    })
    expect({ ...read.headers }).toEqual({ 'content-type': 'application/json', trace: 't' })
    expect(copyOf(read)).toEqual(read)
  })

  test('that is a CloudEvent says what it is, and keeps its source and extensions, in copies too', () => {
    const headers = {
      ce_specversion: '1.0',
      ce_id: 'a-1',
      ce_source: '/their/service',
      ce_type: 'com.example.made',
      ce_time: '2023-11-14T23:13:20.5+01:00',
      ce_subject: 'thing-1',
      'content-type': 'application/json; charset=utf-8',
    }
    const read = readTheirs({ headers })
    expect(read).toMatchObject({
      id: 'a-1',
      type: 'com.example.made',
      routingKey: 'com.example.made',
      time: 1_700_000_000_500,
      contentType: 'application/json; charset=utf-8',
    })
    expect({ ...read.headers }).toEqual({ ce_source: '/their/service', ce_subject: 'thing-1' })
    expect(toWire(read, 'orders', 2e12).headers).toMatchObject({
      ce_id: 'a-1',
      ce_source: '/their/service',
      ce_subject: 'thing-1',
    })
    expect(copyOf(read)).toEqual(read)
  })

  test('whose time cannot be read has that of the record', () => {
    expect(readTheirs({ headers: { ce_specversion: '1.0', ce_time: 'yesterday' } }).time).toBe(1_000)
    expect(readTheirs({ timestamp: -1 }).time).toBe(place.now)
  })

  test.each([
    ['text', Buffer.from('Köln'), 'Köln'],
    ['a number', Buffer.from([0, 0, 0, 42]), '\0\0\0*'],
    ['no text', Buffer.from([0xff, 0x00, 0x10]), '0xff0010'],
    ['text with a replacement character', Buffer.from('\ufffd'), '\ufffd'],
    ['empty', Buffer.alloc(0), ''],
    ['missing', undefined, undefined],
  ])('has its key where that is %s', (_what, key, text) => {
    const read = readTheirs({ key })
    expect(read.key).toBe(text)
    expect(copyOf(read)).toEqual(read)
  })

  test('without a value has no body, and is written without one again', () => {
    const read = readTheirs({ value: undefined })
    expect(read.body).toBe(noBody)
    expect(toWire(read, 'orders', 2e12).value).toBeUndefined()
    expect(readTheirs({ value: Buffer.alloc(0) }).body).not.toBe(noBody)
  })

  test('has no header that has no value', () => {
    expect({ ...readTheirs({ headers: { empty: '', missing: undefined } }).headers }).toEqual({ empty: '' })
  })
})
