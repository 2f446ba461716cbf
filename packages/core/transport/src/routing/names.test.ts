import { describe, expect, test } from 'vitest'
import { checkName, parseSourceRef, queueSource, sourceName, subscriptionSource } from './names.ts'
import type { SourceRef } from '../contract/transport.ts'

const invalidName = expect.objectContaining({ code: 'POSTHORN_INVALID_NAME' }) as Error

describe('checkName', () => {
  test.each(['a', 'orders', 'Orders_2.eu-west', 'a'.repeat(50)])('takes %s', (name) => {
    for (const what of ['queue', 'topic', 'group'] as const) expect(() => checkName(name, what)).not.toThrow()
  })

  test.each(['', 'a'.repeat(51), 'a b', 'a/b', 'ä', 'a:b', 'a\n', 'a*', '#', undefined, null, 5, ['orders']])(
    'refuses %j',
    (name) => {
      for (const what of ['queue', 'topic', 'group'] as const)
        expect(() => checkName(name, what)).toThrow(invalidName)
    },
  )

  test('says what the value is and what is allowed', () => {
    expect(() => checkName('my queue', 'queue')).toThrow(
      '"my queue" cannot be the name of a queue. Use 1 to 50 of these characters: A-Z a-z 0-9 . _ -',
    )
  })

  test('lets the dead letters of a queue with the longest name be read', () => {
    const name = `${'a'.repeat(50)}.dlq`

    expect(() => checkName(name, 'queue')).not.toThrow()
    expect(() => checkName(name, 'topic')).toThrow(invalidName)
    expect(() => checkName(`a${name}`, 'queue')).toThrow(invalidName)
    expect(() => checkName(`${name}.dlq`, 'queue')).toThrow(invalidName)
  })
})

describe('sourceName', () => {
  test('is the name of a queue or inbox, and topic and group of a subscription', () => {
    expect(sourceName(queueSource('orders'))).toBe('orders')
    expect(sourceName({ kind: 'inbox', name: 'inbox/1' })).toBe('inbox/1')
    expect(sourceName(subscriptionSource('events', 'billing', ['#']))).toBe('events/billing')
    expect(sourceName({ kind: 'ephemeral', topic: 'events', patterns: [] })).toBe('events/(ephemeral)')
  })
})

describe('queueSource and subscriptionSource', () => {
  test('have a dead-letter queue of their own and one shard, unless told otherwise', () => {
    expect(queueSource('orders')).toMatchObject({ deadLetterQueue: 'orders.dlq', shards: 1 })
    expect(subscriptionSource('events', 'billing', ['a.*'])).toMatchObject({
      patterns: ['a.*'],
      deadLetterQueue: 'events/billing.dlq',
      shards: 1,
    })
    const details = { deadLetterQueue: 'rejects', shards: 4 }
    expect(queueSource('orders', details)).toMatchObject(details)
    expect(subscriptionSource('events', 'billing', [], details)).toMatchObject(details)
  })
})

describe('parseSourceRef', () => {
  test('finds the queue or subscription that is meant', () => {
    const subscription = subscriptionSource('events', 'billing', [])

    expect(parseSourceRef('orders')).toEqual(queueSource('orders'))
    expect(parseSourceRef({ queue: 'orders' })).toEqual(queueSource('orders'))
    expect(parseSourceRef('events/billing')).toEqual(subscription)
    expect(parseSourceRef({ topic: 'events', group: 'billing' })).toEqual(subscription)
  })

  test.each<unknown>([
    '',
    '/',
    'a/',
    '/b',
    'a/b/c',
    'a b',
    { topic: 'a' },
    { group: 'b' },
    {},
    [],
    null,
    undefined,
    5,
  ])('refuses %j', (ref) => {
    expect(() => parseSourceRef(ref as SourceRef)).toThrow(invalidName)
  })
})
