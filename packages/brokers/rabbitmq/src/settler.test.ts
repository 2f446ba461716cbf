import { createVirtualClock } from '@posthorn/transport/testing'
import { expect, test } from 'vitest'
import { wireMessage } from '../test/wire-message.ts'
import { Acknowledger } from './acknowledger.ts'
import { Settler } from './settler.ts'
import type { ConsumerParts, ConsumerTarget } from './consumer-parts.ts'
import type { HeldMessages } from './held-messages.ts'
import type { Message } from 'amqplib'

test('a message is acked before its record, and without waiting, or a crash would take its attempts', () => {
  const frames: string[] = []
  const channel = {
    ack: ({ fields }: Message) => void frames.push(`message ${fields.deliveryTag}`),
    nack: () => undefined,
  }
  const acks = new Acknowledger(channel, createVirtualClock(), 1_000, () => undefined)
  const settler = new Settler({
    parts: {} as ConsumerParts,
    target: { atMostOnce: false } as ConsumerTarget,
    acks,
    held: { finish: (tag: number) => void frames.push(`record ${tag}`) } as HeldMessages,
    isOver: () => false,
    putBack: undefined,
  })
  const message = wireMessage({})
  const items = [
    { tag: 1, record: undefined },
    { tag: 2, record: 7 },
    { tag: 3, record: undefined },
  ].map((token) => {
    acks.opened(token.tag)
    const delivery = { scope: { name: 'scope' }, token, message, deliveries: 1, invalid: undefined }
    return { delivery, verb: 'ack', delayMs: 0, message, record: undefined } as const
  })
  expect(settler.settle(items)).toEqual(['sent', 'sent', 'sent'])
  expect(frames).toEqual(['message 2', 'record 7'])
})
