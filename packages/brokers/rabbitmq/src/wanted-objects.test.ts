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

test('a queue with shards is as many queues', () => {
  expect(show({ queues: [{ name: 'orders', order: 'key', shards: 3 }] })).toEqual([
    'main orders',
    'main orders~1',
    'main orders~2',
    'deadLetters orders.dlq',
    'retry orders~held',
    'retry orders~1~held',
    'retry orders~2~held',
  ])
  expect(() => show({ queues: [{ name: 'orders', order: 'key', shards: 65 }] })).toThrow('at most 64')
})

test('what is published is given to the shards of a group by its slot, and to the first without one', () => {
  const declared = { topic: 'events', group: 'g', patterns: ['order.#'], order: 'key' } as const
  const { exchanges, queues } = wantedObjects('', { subscriptions: [{ ...declared, shards: 2 }] }, 'quorum')
  expect(exchanges.map(({ subject, type, alternate }) => [subject.nativeName, type, alternate])).toEqual([
    ['events', 'topic', undefined],
    ['events/g~rest', 'fanout', undefined],
    ['events/g', 'headers', 'events/g~rest'],
  ])
  expect(exchanges[2]?.bindings).toEqual([{ exchange: 'events', pattern: 'order.#' }])
  const [first, second] = queues
  expect(first?.bindings).toEqual([{ exchange: 'events/g~rest', pattern: '' }])
  expect(first?.formerBindings).toEqual([{ exchange: 'events', pattern: 'order.#' }])
  expect(second?.bindings).toHaveLength(32)
  expect(second?.bindings[0]).toEqual({
    exchange: 'events/g',
    pattern: '',
    arguments: { 'x-match': 'all', 'posthorn-slot': '1' },
  })
  // Who does not know of the shards routes nothing past them.
  const unknowing = wantedObjects('', { subscriptions: [declared] }, 'quorum')
  expect(unknowing.exchanges).toEqual(exchanges)
  expect(unknowing.queues[0]?.bindings).toEqual(first?.bindings)
})

test('the bounds of a source are shared by its shards', () => {
  const { queues } = wantedObjects(
    '',
    { queues: [{ name: 'orders', order: 'key', shards: 4, maxMessages: 10 }] },
    'quorum',
  )
  expect(queues[1]?.arguments).toMatchObject({ 'x-max-length': 3, 'x-single-active-consumer': true })
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
