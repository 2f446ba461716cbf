import { expect, test } from 'vitest'
import {
  addressOf,
  delayStep,
  heldQueue,
  nativeGroup,
  nativeName,
  nativeSource,
  ownObjects,
  passLock,
} from './names.ts'

const details = { deadLetterQueue: 'x.dlq', shards: 1 }

test.each([
  ['', 'orders', 'orders'],
  ['shop', 'orders', 'shop:orders'],
  ['shop', 'orders.dlq', 'shop:orders.dlq'],
  ['shop', 'inbox/1', 'shop:inbox/1'],
])('with the namespace "%s", %s is called %s', (namespace, name, native) => {
  expect(nativeName(namespace, name)).toBe(native)
})

test('a source is called by its queue, or by topic and group', () => {
  expect(nativeSource('shop', { kind: 'queue', name: 'orders', ...details })).toBe('shop:orders')
  expect(
    nativeSource('', { kind: 'subscription', topic: 'events', group: 'billing', patterns: [], ...details }),
  ).toBe('events/billing')
  expect(nativeSource('shop', { kind: 'inbox', name: 'inbox/1' })).toBe('shop:inbox/1')
})

test('the address of an inbox has no namespace, and what is no inbox stays as it is', () => {
  expect(addressOf('shop', 'shop:inbox/1')).toBe('inbox/1')
  expect(addressOf('', 'inbox/1')).toBe('inbox/1')
  expect(addressOf('shop', 'amq.gen-1')).toBe('amq.gen-1')
  expect(addressOf('shop', 'other:inbox/1')).toBe('other:inbox/1')
})

test('no two names meet, whatever namespaces and queues are called', () => {
  const logical = ['posthorn', 'delay', 'orders', 'held', 'orders.dlq', '32']
  const names = ['', ...logical].flatMap((namespace) =>
    logical.flatMap((name) => {
      const queue = nativeName(namespace, name)
      return [queue, nativeGroup(namespace, name, 'held'), heldQueue(queue), passLock(queue)]
    }),
  )
  const own = [...Object.values(ownObjects), delayStep(32)]
  expect(new Set([...names, ...own]).size).toBe(names.length + own.length)
})
