import { createVirtualClock } from '@posthorn/transport/testing'
import { expect, test } from 'vitest'
import { watchConsumers } from './consumer-watch.ts'
import type { QueueReader } from './queue-reader.ts'

function consumer(
  queue: string,
  isReading: boolean,
): { readonly one: QueueReader; readonly isEnded: () => boolean } {
  let ended = false
  const one = { queue, isReading, deleted: () => void (ended = true) } as unknown as QueueReader
  return { one, isEnded: () => ended }
}

test('ends a consumer that the server does not know, and no other', async () => {
  const clock = createVirtualClock()
  const forgotten = consumer('forgotten', true)
  const paused = consumer('forgotten', false)
  const known = consumer('known', true)
  const unanswered = consumer('unanswered', true)
  const all = [forgotten, paused, known, unanswered]
  const stop = watchConsumers({
    clock,
    readers: () => all.map(({ one }) => one),
    consumerCount: async (queue) => {
      if (queue === 'unanswered') throw new Error('no answer')
      return queue === 'known' ? 1 : 0
    },
  })
  await clock.advance(10_000)
  expect(all.map(({ isEnded }) => isEnded())).toEqual([true, false, false, false])
  stop()
})

test('looks again and again, until it is stopped', async () => {
  const clock = createVirtualClock()
  let asked = 0
  const stop = watchConsumers({
    clock,
    readers: () => [consumer('orders', true).one],
    consumerCount: async () => (asked += 1),
  })
  await clock.advance(30_000)
  stop()
  await clock.advance(60_000)
  expect(asked).toBe(3)
})
