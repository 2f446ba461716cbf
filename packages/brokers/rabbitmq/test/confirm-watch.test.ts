import { expect, test } from 'vitest'
import { ConfirmWatch } from './confirm-watch.ts'
import { addressIn, redirect } from './publish-frame.ts'
import type { AmqpFrame } from '@posthorn/test-brokers'

function frame(method: string, payload: Buffer, channel = 1, connection = 1): AmqpFrame {
  const [classId = 0, methodId = 0] = method.split('.').map(Number)
  const bytes = Buffer.alloc(11 + payload.length + 1, 0xce)
  bytes.writeUInt8(1, 0)
  bytes.writeUInt16BE(channel, 1)
  bytes.writeUInt32BE(4 + payload.length, 3)
  bytes.writeUInt16BE(classId, 7)
  bytes.writeUInt16BE(methodId, 9)
  payload.copy(bytes, 11)
  return { connection, channel, method, bytes }
}

const text = (value: string): Buffer =>
  Buffer.concat([Buffer.from([Buffer.byteLength(value)]), Buffer.from(value)])

const publish = (exchange: string, routingKey: string, channel?: number, connection?: number): AmqpFrame =>
  frame(
    '60.40',
    Buffer.concat([Buffer.alloc(2), text(exchange), text(routingKey), Buffer.from([1])]),
    channel,
    connection,
  )

function ack(tag: number, multiple: boolean): AmqpFrame {
  const payload = Buffer.alloc(9)
  payload.writeBigUInt64BE(BigInt(tag))
  payload[8] = multiple ? 1 : 0
  return frame('60.80', payload)
}

const open = (channel?: number, connection?: number): AmqpFrame =>
  frame('20.10', Buffer.alloc(1), channel, connection)

test('a frame says where it publishes to', () => {
  expect(addressIn(publish('events', 'order.created'))).toEqual({
    exchange: 'events',
    routingKey: 'order.created',
  })
  expect(addressIn(ack(1, false))).toBeUndefined()
})

test('a frame that is sent elsewhere is whole, and the same but for that', () => {
  expect(redirect(publish('events', 'order.created'), 'full')).toEqual(publish('', 'full').bytes)
})

test('confirmations of sends are told from those of copies', () => {
  const watch = new ConfirmWatch()
  for (const one of [
    open(),
    publish('', 'orders'),
    publish('', 'orders.dlq'),
    publish('events', 'a'),
    publish('', 'b'),
  ])
    watch.published(one)
  // Another connection with the same channel.
  for (const one of [open(1, 2), publish('', 'orders.dlq', 1, 2)]) watch.published(one)
  expect(watch.confirmsSends(ack(1, false))).toBe(true)
  expect(watch.confirmsSends(ack(2, false))).toBe(false)
  expect(watch.confirmsSends(ack(4, true))).toBe(true)
  expect(watch.confirmsSends(ack(4, true))).toBe(false)
})

test('a confirmation of both is none of sends', () => {
  const watch = new ConfirmWatch()
  for (const one of [open(), publish('', 'orders'), publish('posthorn:delay:', 'orders')])
    watch.published(one)
  expect(watch.confirmsSends(ack(2, true))).toBe(false)
})
