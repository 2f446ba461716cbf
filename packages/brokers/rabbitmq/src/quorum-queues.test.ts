import { expect, test } from 'vitest'
import { QuorumQueues } from './quorum-queues.ts'

test('knows the queues that were added last, ten thousand of them', () => {
  const queues = new QuorumQueues()
  queues.add(['first', 'second'])
  queues.add(['first'])
  queues.add(Array.from({ length: 9_999 }, (_, index) => `queue-${index}`))
  expect([queues.has('first'), queues.has('second'), queues.has('queue-9998')]).toEqual([true, false, true])
})
