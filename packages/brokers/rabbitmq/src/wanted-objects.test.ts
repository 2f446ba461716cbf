import { expect, test } from 'vitest'
import { wantedObjects } from './wanted-objects.ts'

const show = (topology: Parameters<typeof wantedObjects>[1], namespace = ''): string[] => {
  const { exchanges, queues } = wantedObjects(namespace, topology, 'quorum')
  return [
    ...exchanges.map(({ subject }) => `exchange ${subject.nativeName}`),
    ...queues.map(({ subject, bindings }) =>
      [
        subject.part,
        subject.nativeName,
        ...bindings.map(({ exchange, pattern }) => `${exchange}:${pattern}`),
      ].join(' '),
    ),
  ]
}

test('a queue has dead letters, and with order by key what is held', () => {
  expect(show({ queues: [{ name: 'orders' }] })).toEqual(['main orders', 'deadLetters orders.dlq'])
  expect(show({ queues: [{ name: 'orders', order: 'key', deadLetterQueue: 'failed' }] }, 'shop')).toEqual([
    'main shop:orders',
    'deadLetters shop:failed',
    'retry shop:orders~held',
  ])
})

test('a subscription has its topic, and a binding for each pattern', () => {
  expect(
    show({ subscriptions: [{ topic: 'events', group: 'billing', patterns: ['order.#', '*.paid'] }] }, 'shop'),
  ).toEqual([
    'exchange shop:events',
    'group shop:events/billing shop:events:order.# shop:events:*.paid',
    'deadLetters shop:events/billing.dlq',
  ])
  expect(show({ topics: [{ name: 'events' }], subscriptions: [{ topic: 'events', group: 'g' }] })).toEqual([
    'exchange events',
    'group events/g events:#',
    'deadLetters events/g.dlq',
  ])
})

test('dead letters that are read as a queue are the same queue', () => {
  const asDeadLetters = wantedObjects('', { queues: [{ name: 'orders' }] }, 'quorum').queues[1]
  const asQueue = wantedObjects('', { queues: [{ name: 'orders.dlq' }] }, 'quorum').queues[0]
  expect(asQueue?.arguments).toEqual(asDeadLetters?.arguments)
  expect(show({ queues: [{ name: 'orders.dlq' }, { name: 'orders' }] })).toEqual([
    'main orders.dlq',
    'deadLetters orders.dlq.dlq',
    'main orders',
  ])
})
