import { expect, test } from 'vitest'
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
  headers: { tenant: 'acme', ce_id: 'mine', 'content-type': 'mine too' },
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
    ce_source: 'orders',
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

test("somebody else's record has its place as its id, and its own headers", () => {
  const { message: read } = fromWire(
    {
      offset: 7,
      nextOffset: 8,
      timestamp: 1_000,
      key: Buffer.from('k'),
      value: Buffer.from('{"a":1}'),
      headers: { 'content-type': 'application/json', trace: 't' },
      problem: undefined,
    },
    place,
  )
  expect(read).toMatchObject({
    id: 'orders/2/7',
    idMadeUp: false,
    time: 1_000,
    key: 'k',
    contentType: 'application/json',
  })
  expect({ ...read.headers }).toEqual({ 'content-type': 'application/json', trace: 't' })
})

test('a record without a value has an empty body', () => {
  const record = { ...stored(toWire(message, 'orders', 2e12)), value: undefined }
  expect(fromWire(record, place).message.body).toHaveLength(0)
})
