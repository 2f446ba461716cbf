import { createVirtualClock } from '@posthorn/transport/testing'
import { expect, test } from 'vitest'
import { MissingQueues } from './missing-queues.ts'

test('a queue that was found missing can be made when the server is done with it, and others at once', async () => {
  const clock = createVirtualClock()
  const missing = new MissingQueues(clock)
  const made: string[] = []
  missing.add('orders')
  const making = missing.parted(['tasks', 'orders']).then(() => made.push('orders'))
  await missing.parted(['tasks']).then(() => made.push('tasks'))
  await clock.advance(499)
  expect(made).toEqual(['tasks'])
  await clock.advance(1)
  await making
  expect(made).toEqual(['tasks', 'orders'])
  await missing.parted(['orders'])
})
