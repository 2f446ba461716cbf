import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matchesPattern } from '../routing/pattern.ts'
import { Client, createLab, group, message, messages } from '../../test/memory-driver.ts'
import type { Lab } from '../../test/memory-driver.ts'
import type { SubscriptionDeclaration } from '../contract/topology.ts'
import type { MemoryBrokerOptions } from './options.ts'

const events = { kind: 'topic', name: 'events' } as const

async function start(
  options: MemoryBrokerOptions,
  ...subscriptions: readonly Omit<SubscriptionDeclaration, 'topic'>[]
): Promise<{ lab: Lab; client: Client }> {
  const lab = createLab(options)
  const client = await lab.connect()
  await client.connection.declare(
    {
      topics: [{ name: 'events' }],
      subscriptions: subscriptions.map((subscription) => ({ topic: 'events', ...subscription })),
    },
    'create',
  )
  return { lab, client }
}

describe('a topic', () => {
  test('gives each group every message, and shares it among its members', async () => {
    const { lab, client } = await start({}, { group: 'billing' }, { group: 'mail' })
    const one = await client.consume(group('events', 'billing'))
    const two = await client.consume(group('events', 'billing'))
    const mail = await client.consume(group('events', 'mail'))
    await lab.turn()
    expect(await client.publish(events, messages('a', 'b'))).toEqual(['confirmed', 'confirmed'])
    await lab.turn()
    expect([one.ids, two.ids, mail.ids]).toEqual([['a'], ['b'], ['a', 'b']])
  })

  test('shares the bytes among groups', async () => {
    const { lab, client } = await start({}, { group: 'billing' }, { group: 'mail' })
    const readers = [
      await client.consume(group('events', 'billing')),
      await client.consume(group('events', 'mail')),
    ]
    const sent = message('a')
    await client.publish(events, [sent])
    await lab.turn()
    for (const reader of readers) expect(reader.delivery('a').message.body).toBe(sent.body)
  })

  test('keeps what a group misses while nobody is there', async () => {
    const { lab, client } = await start({}, { group: 'billing' })
    await client.publish(events, messages('a'))
    await client.connection.close()
    const reader = await (await lab.connect()).consume(group('events', 'billing'))
    await lab.turn()
    expect(reader.ids).toEqual(['a'])
  })

  test('settles for one group only', async () => {
    const { lab, client } = await start({}, { group: 'billing' }, { group: 'mail' })
    const billing = await client.consume(group('events', 'billing'))
    const mail = await client.consume(group('events', 'mail'))
    await client.publish(events, messages('a'))
    await lab.turn()
    await billing.settle('a', 'retry', { message: { attempt: 2 } })
    await mail.settle('a', 'ack')
    await lab.turn()
    expect(billing.delivery('a').message.attempt).toBe(2)
    expect(mail.ids).toEqual(['a'])
  })

  test('confirms what nobody wants', async () => {
    const { lab, client } = await start({}, { group: 'billing', patterns: ['order.*'] })
    expect(await client.publish(events, [message('a', { routingKey: 'user.created' })])).toEqual([
      'confirmed',
    ])
    expect(lab.broker.raw.messages('events/billing')).toEqual([])
  })

  test('refuses what it does not have', async () => {
    const { client } = await start({})
    const outcomes = await client.publish({ kind: 'topic', name: 'others' }, messages('a'))
    expect(outcomes).toMatchObject([{ code: 'POSTHORN_TOPOLOGY_MISSING', outcome: 'rejected' }])
    await expect(client.consume(group('events', 'nobody'))).rejects.toMatchObject({
      code: 'POSTHORN_TOPOLOGY_MISSING',
    })
  })

  test('gives a message to all groups or to none when one is full', async () => {
    const { lab, client } = await start({}, { group: 'billing', maxMessages: 1 }, { group: 'mail' })
    const [first, second] = await client.publish(events, messages('a', 'b'))
    expect(first).toBe('confirmed')
    expect(second).toMatchObject({ code: 'POSTHORN_QUEUE_FULL', outcome: 'rejected' })
    expect(lab.broker.raw.messages('events/mail').map((stored) => stored.message.id)).toEqual(['a'])
  })

  test('forgets a group that is deleted, with its bound', async () => {
    const declared = { group: 'billing', maxMessages: 1 }
    const { lab, client } = await start({}, declared)
    await client.publish(events, messages('a'))
    lab.broker.faults.loseDeclared('events/billing')
    await client.connection.declare({ subscriptions: [{ topic: 'events', ...declared }] }, 'create')
    expect(await client.publish(events, messages('b', 'c'))).toMatchObject([
      'confirmed',
      { code: 'POSTHORN_QUEUE_FULL' },
    ])
  })

  test('stores twice for each group when a fault says so', async () => {
    const { lab, client } = await start({}, { group: 'billing' }, { group: 'mail' })
    lab.broker.faults.duplicate(1)
    await client.publish(events, messages('a', 'b'))
    for (const source of ['events/billing', 'events/mail']) {
      expect(lab.broker.raw.messages(source).map((stored) => stored.message.id)).toEqual(['a', 'a', 'b'])
    }
  })

  test('delays for all groups', async () => {
    const { lab, client } = await start({}, { group: 'billing' }, { group: 'mail' })
    const readers = [
      await client.consume(group('events', 'billing')),
      await client.consume(group('events', 'mail')),
    ]
    await client.publish(events, [message('a', { notBefore: lab.clock.now() + 1_000 })])
    await lab.clock.advance(999)
    expect(readers.flatMap((reader) => reader.ids)).toEqual([])
    await lab.clock.advance(1)
    expect(readers.flatMap((reader) => reader.ids)).toEqual(['a', 'a'])
  })
})

describe('patterns', () => {
  const word = fc.constantFrom('a', 'b', 'c')
  const routingKey = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('.'))
  const pattern = fc
    .array(fc.oneof(word, fc.constantFrom('*', '#')), { minLength: 1, maxLength: 4 })
    .map((words) => words.join('.'))

  test.each(['broker', 'client'] as const)(
    'decide as the reference does, filtered by the %s',
    async (patterns) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(pattern, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
          fc.array(routingKey, { maxLength: 8 }),
          async (groups, keys) => {
            const declarations = groups.map((given, index) => ({ group: `g${index}`, patterns: given }))
            const { lab, client } = await start({ patterns }, ...declarations)
            const readers = await Promise.all(
              declarations.map(({ group: name }) => client.consume(group('events', name))),
            )
            await client.publish(
              events,
              keys.map((key, index) => message(`${index}`, { routingKey: key })),
            )
            await lab.turn()
            for (const [index, reader] of readers.entries()) {
              const wanted = keys.flatMap((key, at) =>
                groups[index]?.some((one) => matchesPattern(one, key)) === true ? [`${at}`] : [],
              )
              expect(reader.ids).toEqual(wanted)
              expect(reader.scopes).toHaveLength(1)
            }
            expect(await client.connection.depth(group('events', 'g0'))).toMatchObject({ ready: 0 })
          },
        ),
        { numRuns: 60 },
      )
    },
  )

  test('filtered by the client say so, and what is dropped takes no room', async () => {
    const { lab, client } = await start(
      { patterns: 'client' },
      { group: 'billing', patterns: ['order.*'], maxMessages: 1 },
    )
    const reader = await client.consume(group('events', 'billing'))
    await client.publish(events, [message('a', { routingKey: 'user.created' })])
    await lab.turn()
    const wanted = message('b', { routingKey: 'order.paid' })
    expect(await client.publish(events, [wanted])).toEqual(['confirmed'])
    await lab.turn()
    expect(reader.ids).toEqual(['b'])
    expect(client.connection.capabilities.features.patternRouting.level).toBe('emulated')
  })
})

describe('a group that starts in the past', () => {
  test('gets what the topic still has, and what comes after', async () => {
    const { lab, client } = await start({ history: { maxMessages: 3, maxBytes: 1_000 } })
    const keys = ['order.created', 'user.created', 'order.paid', 'order.sent']
    await client.publish(
      events,
      keys.map((routingKey) => message(routingKey, { routingKey })),
    )
    await client.connection.declare(
      { subscriptions: [{ topic: 'events', group: 'late', patterns: ['order.*'], from: 'earliest' }] },
      'create',
    )
    const reader = await client.consume(group('events', 'late'))
    await client.publish(events, [message('order.done', { routingKey: 'order.done' })])
    await lab.turn()
    expect(reader.ids).toEqual(['order.paid', 'order.sent', 'order.done'])
  })

  test('starts at a moment', async () => {
    const { lab, client } = await start({})
    await client.publish(events, messages('a'))
    await lab.clock.advance(1_000)
    const from = new Date(lab.clock.now())
    await client.publish(events, messages('b'))
    await client.connection.declare({ subscriptions: [{ topic: 'events', group: 'late', from }] }, 'create')
    const reader = await client.consume(group('events', 'late'))
    await lab.turn()
    expect(reader.ids).toEqual(['b'])
  })

  test('starts now unless it says otherwise, and only once', async () => {
    const { lab, client } = await start({})
    await client.publish(events, messages('a'))
    await client.connection.declare({ subscriptions: [{ topic: 'events', group: 'late' }] }, 'create')
    await client.connection.declare(
      { subscriptions: [{ topic: 'events', group: 'late', from: 'earliest' }] },
      'create',
    )
    const reader = await client.consume(group('events', 'late'))
    await lab.turn()
    expect(reader.ids).toEqual([])
  })

  test('keeps within a bound of bytes', async () => {
    const { lab, client } = await start({ history: { maxMessages: 100, maxBytes: 10 } })
    const body = new Uint8Array(4)
    await client.publish(events, [message('a', { body }), message('b', { body }), message('c', { body })])
    await client.connection.declare(
      { subscriptions: [{ topic: 'events', group: 'late', from: 'earliest' }] },
      'create',
    )
    expect(lab.broker.raw.messages('events/late').map((stored) => stored.message.id)).toEqual(['b', 'c'])
  })

  test('is refused where topics keep nothing', async () => {
    const { client } = await start({ history: false })
    const declaring = client.connection.declare(
      { subscriptions: [{ topic: 'events', group: 'late', from: 'earliest' }] },
      'create',
    )
    await expect(declaring).rejects.toMatchObject({ code: 'POSTHORN_UNSUPPORTED' })
    expect(client.connection.capabilities.features.fromTime.level).toBe('unsupported')
  })
})

describe('an ephemeral subscription', () => {
  const source = (patterns: readonly string[] = ['#']) =>
    ({ kind: 'ephemeral', topic: 'events', patterns }) as const

  test('gets what matches while it is there, each one of them', async () => {
    const { lab, client } = await start({})
    await client.publish(events, messages('before'))
    const one = await client.consume(source(['order.*']))
    const two = await client.consume(source())
    await client.publish(events, [message('a', { routingKey: 'order.paid' }), message('b')])
    await lab.turn()
    expect([one.ids, two.ids]).toEqual([['a'], ['a', 'b']])
    await two.consumer.close()
    await client.publish(events, messages('after'))
    await lab.turn()
    expect(two.ids).toEqual(['a', 'b'])
  })

  test('is gone with its connection and leaves nothing behind', async () => {
    const { lab, client } = await start({})
    const other = await lab.connect('other')
    await other.consume(source())
    await lab.turn()
    expect(client.connection.native.sources()).toHaveLength(1)
    lab.broker.faults.cut('other')
    expect(client.connection.native.sources()).toEqual([])
    expect(await client.publish(events, messages('a'))).toEqual(['confirmed'])
  })

  test('misses what it has no room for, and says how much', async () => {
    const { lab, client } = await start({}, { group: 'billing' })
    const reader = await client.consume(source(), { window: 0 })
    for (let batch = 0; batch < 11; batch++) {
      await client.publish(
        events,
        Array.from({ length: 1_000 }, (_, index) => message(`${batch}-${index}`)),
      )
    }
    await lab.turn()
    expect(client.emitted).toMatchObject([
      { event: 'gap', content: { source: 'events/(ephemeral)', missing: 1_000 } },
    ])
    reader.consumer.window(reader.scope, 20_000)
    await lab.turn()
    expect(reader.ids).toHaveLength(10_000)
    expect(lab.broker.raw.messages('events/billing')).toHaveLength(11_000)
  })

  test('needs its topic', async () => {
    const { client } = await start({})
    const consuming = client.consume({ kind: 'ephemeral', topic: 'others', patterns: ['#'] })
    await expect(consuming).rejects.toMatchObject({ code: 'POSTHORN_TOPOLOGY_MISSING' })
  })

  test('has no dead letters', async () => {
    const { lab, client } = await start({})
    const reader = await client.consume(source())
    await client.publish(events, messages('a'))
    await lab.turn()
    expect(await reader.settle('a', 'deadLetter')).toMatchObject({ code: 'POSTHORN_UNSUPPORTED' })
  })

  test('is refused where there is none', async () => {
    const { client } = await start({ ephemeral: false })
    await expect(client.consume(source())).rejects.toMatchObject({ code: 'POSTHORN_UNSUPPORTED' })
    await expect(client.consume({ kind: 'inbox', name: 'mine' })).rejects.toMatchObject({
      code: 'POSTHORN_UNSUPPORTED',
    })
    expect(client.connection.capabilities.features.inbox.level).toBe('unsupported')
  })
})
