import { describe, expect, test } from 'vitest'
import { checkTopology } from './check-topology.ts'

const check = (topology: unknown): void => checkTopology('declare()', topology as never)

test('a topology with everything in it is fine', () => {
  const everything = {
    queues: [
      {
        name: 'orders',
        deadLetterQueue: 'dead',
        deduplicationWindowMs: 1_000,
        maxMessages: 5,
        maxBytes: 10,
        order: 'key',
        shards: 4,
        native: {},
      },
      { name: 'orders.dlq' },
    ],
    topics: [{ name: 'orders', native: {} }],
    subscriptions: [
      {
        topic: 'orders',
        group: 'a',
        patterns: ['order.*', '#'],
        from: 'earliest',
        deadLetterQueue: 'dead-a',
        maxMessages: 1,
        maxBytes: 1,
      },
      { topic: 'orders', group: 'b', from: new Date(0), order: 'none', shards: 1, native: {} },
    ],
  }
  for (const topology of [everything, {}]) expect(() => check(topology)).not.toThrow()
})

describe('a topology is refused', () => {
  test.each([
    [undefined, 'takes a topology'],
    [null, 'plain object'],
    [[], 'plain object'],
    [{ queue: [] }, 'queues'],
    [{ queues: {} }, 'queues'],
    [{ queues: ['orders'] }, 'queues[0]'],
    [{ queues: [{}] }, 'name'],
    [{ queues: [{ name: 'a b' }] }, '"a b"'],
    [{ queues: [{ name: 'a', order: 'fifo' }] }, 'order'],
    [{ queues: [{ name: 'a', shards: 0 }] }, 'shards'],
    [{ queues: [{ name: 'a', shards: 1.5 }] }, 'shards'],
    [{ queues: [{ name: 'a', maxBytes: -1 }] }, 'maxBytes'],
    [{ queues: [{ name: 'a', native: 'x' }] }, 'native'],
    [{ queues: [{ name: 'a', deadLetterQueue: 'a/b' }] }, 'a/b'],
    [{ queues: [{ name: 'a', deadLetterQueue: 'a' }] }, 'its own dead-letter queue'],
    [{ topics: [{ name: '' }] }, 'name'],
    [{ topics: [{ name: 'a', patterns: ['#'] }] }, 'patterns'],
    [{ subscriptions: [{ topic: 'a', group: 'b/c' }] }, 'b/c'],
    [{ subscriptions: [{ topic: 'a', group: 'b', patterns: ['a..b'] }] }, 'a..b'],
    [{ subscriptions: [{ topic: 'a', group: 'b', patterns: [] }] }, 'patterns'],
    [{ subscriptions: [{ topic: 'a', group: 'b', from: 'latest' }] }, 'from'],
    [{ subscriptions: [{ topic: 'a', group: 'b', from: new Date(Number.NaN) }] }, 'from'],
  ])('such as %o', (topology, named) => {
    expect(() => check(topology)).toThrow(named)
  })

  test.each([
    [{ queues: [{ name: 'a' }, { name: 'a', maxMessages: 5 }] }, '"a" twice, as a queue'],
    [{ topics: [{ name: 'a' }, { name: 'a' }] }, '"a" twice, as a topic'],
    [
      {
        subscriptions: [
          { topic: 'a', group: 'b' },
          { topic: 'a', group: 'b' },
        ],
      },
      '"a/b" twice, as a subscription',
    ],
    [
      {
        queues: [
          { name: 'a', deadLetterQueue: 'dead' },
          { name: 'b', deadLetterQueue: 'dead' },
        ],
      },
      '"dead" twice, as a dead-letter queue',
    ],
    [
      { queues: [{ name: 'a' }, { name: 'b', deadLetterQueue: 'a.dlq' }] },
      '"a.dlq" twice, as a dead-letter queue',
    ],
    [
      {
        queues: [{ name: 'a', deadLetterQueue: 'dead' }],
        subscriptions: [{ topic: 'a', group: 'b', deadLetterQueue: 'dead' }],
      },
      '"dead" twice, as a dead-letter queue',
    ],
  ])('that says two things of one: %o', (topology, named) => {
    expect(() => check(topology)).toThrow(named)
  })
})
