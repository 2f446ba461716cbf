import { createVirtualClock } from '@posthorn/transport/testing'
import { expect, test } from 'vitest'
import { isPast, keepWishing, wishHeader, wishMs } from './wish.ts'
import type { ConsumerParts, ConsumerTarget } from './consumer-parts.ts'
import type { Outgoing } from './publish-batch.ts'

function start(isWaiting: () => boolean, readersOf: () => Promise<number>) {
  const clock = createVirtualClock()
  const wishes: (readonly [number, Outgoing])[] = []
  const parts = {
    clock,
    createId: () => 'id',
    openSideQueue: readersOf,
    publisher: {
      copyToQueues: async (items: readonly Outgoing[]) => {
        for (const item of items) wishes.push([clock.now(), item])
        return items.map(() => 'confirmed')
      },
    },
  } as unknown as ConsumerParts
  const target = { queue: 'orders~1', rank: 2 } as ConsumerTarget
  const startedAt = clock.now()
  const stop = keepWishing({ parts, target, isWaiting })
  return { clock, stop, wishes, times: () => wishes.map(([at]) => at - startedAt) }
}

test('whoever has the queue is told soon, then less and less often, until it is stopped', async () => {
  const { clock, stop, wishes, times } = start(
    () => true,
    async () => 1,
  )
  await clock.advance(100_000)
  stop()
  await clock.advance(100_000)
  expect(times()).toEqual([500, 1_500, 3_500, 7_500, 15_500, 31_500, 61_500, 91_500])
  expect(wishes[0]?.[1]).toMatchObject({ routingKey: 'orders~1~held', headers: { [wishHeader]: '2' } })
})

test('nobody is told where nobody has had anything of the queue, or while it is not waited for', async () => {
  let readers = 0
  let isWaiting = true
  const { clock, stop, times } = start(
    () => isWaiting,
    async () => {
      if (readers < 0) throw new Error('no answer')
      return readers
    },
  )
  await clock.advance(1_000)
  isWaiting = false
  readers = 1
  await clock.advance(1_000)
  isWaiting = true
  readers = -1
  await clock.advance(2_000)
  expect(times()).toEqual([])
  readers = 1
  await clock.advance(5_000)
  expect(times()).toEqual([7_500])
  stop()
})

test('a wish is past after its time, and where a clock is so far ahead that nobody can say', () => {
  expect([0, wishMs, wishMs + 1, -wishMs - 1].map((age) => isPast({ time: 10_000 }, 10_000 + age))).toEqual([
    false,
    false,
    true,
    true,
  ])
})
