import { createVirtualClock } from '@posthorn/transport/testing'
import { expect, test } from 'vitest'
import { Acknowledger } from './acknowledger.ts'
import type { Message } from 'amqplib'

function setUp(window = 100): {
  readonly frames: string[]
  readonly acks: Acknowledger
  readonly clock: ReturnType<typeof createVirtualClock>
} {
  const frames: string[] = []
  const clock = createVirtualClock()
  const channel = {
    ack: ({ fields }: Message, multiple = false) =>
      void frames.push(`ack ${multiple ? '..' : ''}${fields.deliveryTag}`),
    nack: ({ fields }: Message) => void frames.push(`nack ${fields.deliveryTag}`),
  }
  const acks = new Acknowledger(channel, clock, window, () => undefined)
  for (let tag = 1; tag <= 100; tag += 1) acks.opened(tag)
  return { frames, acks, clock }
}

test('what is finished in order is acked in one frame, at once', () => {
  const { frames, acks } = setUp()
  for (const tag of [2, 1, 3]) acks.finish(tag)
  acks.flush()
  expect(frames).toEqual(['ack ..3'])
})

test('with a large window it waits a little for more', async () => {
  const { frames, acks, clock } = setUp(1_000)
  for (const tag of [2, 1, 3]) acks.finish(tag)
  acks.flush()
  expect(frames).toEqual([])
  await clock.advance(5)
  expect(frames).toEqual(['ack ..3'])
})

test('a quarter of a large window in order is acked without waiting', () => {
  const { frames, acks } = setUp(300)
  for (let tag = 1; tag <= 75; tag += 1) acks.finish(tag)
  acks.flush()
  expect(frames).toEqual(['ack ..75'])
})

test('with a window of one each is acked at once', () => {
  const { frames, acks } = setUp(1)
  acks.finish(1)
  acks.flush()
  expect(frames).toEqual(['ack ..1'])
})

test('what a smaller window has no room for is acked when it gets smaller', () => {
  const { frames, acks } = setUp(1_000)
  for (const tag of [1, 2, 3]) acks.finish(tag)
  acks.flush()
  acks.resize(8)
  expect(frames).toEqual(['ack ..3'])
})

test('what is behind a slow one is acked singly, a little later', async () => {
  const { frames, acks, clock } = setUp()
  for (const tag of [1, 3, 4]) acks.finish(tag)
  acks.flush()
  expect(frames).toEqual(['ack ..1'])
  await clock.advance(5)
  expect(frames).toEqual(['ack ..1', 'ack 3', 'ack 4'])
})

test('many behind a slow one are acked without waiting', () => {
  const { frames, acks } = setUp(16)
  for (const tag of [3, 4, 5, 6]) acks.finish(tag)
  acks.flush()
  expect(frames).toEqual(['ack 3', 'ack 4', 'ack 5', 'ack 6'])
})

test('what was given back or settled before is settled once', () => {
  const { frames, acks } = setUp()
  acks.giveBack(2)
  acks.giveBack(2)
  acks.finish(2)
  acks.finish(1)
  acks.finish(1)
  acks.flush()
  acks.ackAll()
  expect(frames).toEqual(['nack 2', 'ack ..1'])
})

test('all that is open is given back in its order', () => {
  const { frames, acks } = setUp()
  for (let tag = 1; tag <= 97; tag += 1) acks.finish(tag)
  acks.giveAllBack()
  acks.giveAllBack()
  expect(frames).toEqual(['nack 98', 'nack 99', 'nack 100'])
})

test('nothing is written after the stop', async () => {
  const { frames, acks, clock } = setUp()
  acks.finish(5)
  acks.flush()
  acks.stop()
  await clock.advance(1_000)
  expect(frames).toEqual([])
})
