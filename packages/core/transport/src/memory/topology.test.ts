import { describe, expect, test } from 'vitest'
import { createLab, group, message, queue } from '../../test/memory-driver.ts'
import type { Topology } from '../contract/topology.ts'

const topology: Topology = {
  queues: [{ name: 'orders', maxMessages: 10 }],
  topics: [{ name: 'events' }],
  subscriptions: [{ topic: 'events', group: 'billing', patterns: ['order.*', 'user.#'] }],
}

describe('declare', () => {
  test('makes what is missing, dead-letter queues and topics of subscriptions too, and can be repeated', async () => {
    const client = await createLab().connect()
    const { connection } = client
    await connection.declare(
      { queues: topology.queues ?? [], subscriptions: topology.subscriptions ?? [] },
      'create',
    )
    await connection.declare(topology, 'create')
    await connection.declare(topology, 'check')
    expect(connection.native.topics()).toEqual(['events'])
    expect(connection.native.sources().toSorted()).toEqual([
      'events/billing',
      'events/billing.dlq',
      'orders',
      'orders.dlq',
    ])
  })

  test('keeps what is in a queue that is declared again', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.connection.declare(topology, 'create')
    await client.send('orders', message('a'))
    await client.connection.declare(topology, 'create')
    expect(lab.broker.raw.messages('orders')).toHaveLength(1)
  })

  test('makes nothing in the mode check, and says what is missing', async () => {
    const { connection } = await createLab().connect()
    for (const [wanted, name] of [
      [{ queues: [{ name: 'orders' }] }, 'queue "orders"'],
      [{ topics: [{ name: 'events' }] }, 'topic "events"'],
      [{ subscriptions: [{ topic: 'events', group: 'billing' }] }, 'topic "events"'],
    ] as const) {
      const declaring = connection.declare(wanted, 'check')
      await expect(declaring).rejects.toMatchObject({
        code: 'POSTHORN_TOPOLOGY_MISSING',
        message: expect.stringContaining(name),
      })
    }
    expect([connection.native.sources(), connection.native.topics()]).toEqual([[], []])
  })

  test.each([
    ['maxMessages', { queues: [{ name: 'orders', maxMessages: 11 }] }],
    ['maxBytes', { queues: [{ name: 'orders', maxBytes: 1 }] }],
    ['deduplicationWindowMs', { queues: [{ name: 'orders', deduplicationWindowMs: 1 }] }],
    ['deadLetterQueue', { queues: [{ name: 'orders', deadLetterQueue: 'graveyard' }] }],
    ['patterns', { subscriptions: [{ topic: 'events', group: 'billing' }] }],
    ['patterns', { subscriptions: [{ topic: 'events', group: 'billing', patterns: ['order.*'] }] }],
  ] as const)('refuses another %s by its name, and makes nothing of the rest', async (argument, other) => {
    const { connection } = await createLab().connect()
    await connection.declare(topology, 'create')
    const declaring = connection.declare({ ...other, topics: [{ name: 'new' }] }, 'create')
    await expect(declaring).rejects.toMatchObject({
      code: 'POSTHORN_TOPOLOGY_MISMATCH',
      message: expect.stringContaining(argument),
    })
    expect(connection.native.topics()).toEqual(['events'])
  })

  test('takes an argument that is left out as whatever there is, and patterns in any order', async () => {
    const { connection } = await createLab().connect()
    await connection.declare(topology, 'create')
    const items = await connection.plan({
      queues: [{ name: 'orders' }],
      subscriptions: [{ topic: 'events', group: 'billing', patterns: ['user.#', 'order.*', 'user.#'] }],
    })
    expect(items.map((item) => item.action)).toEqual(['none', 'none', 'none', 'none', 'none'])
  })

  test('puts dead letters where it is told', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.connection.declare({ queues: [{ name: 'orders', deadLetterQueue: 'graveyard' }] }, 'create')
    await client.connection.declare({ queues: [{ name: 'orders' }] }, 'check')
    await client.send('orders', message('a'))
    const reader = await client.consume({ ...queue('orders'), deadLetterQueue: 'graveyard' } as ReturnType<
      typeof queue
    >)
    await lab.turn()
    await reader.settle('a', 'deadLetter')
    expect(lab.broker.raw.messages('graveyard')).toHaveLength(1)
    expect(client.connection.native.depth('orders')).toMatchObject({ deadLettered: 1 })
    expect(client.connection.native.sources()).toEqual(['graveyard', 'orders'])
  })

  test('refuses a dead-letter queue that is the queue itself or another one has', async () => {
    const { connection } = await createLab().connect()
    const own = connection.declare({ queues: [{ name: 'orders', deadLetterQueue: 'orders' }] }, 'create')
    await expect(own).rejects.toMatchObject({ code: 'POSTHORN_INVALID_OPTION' })
    const both = ['orders', 'others'].map((name) => ({ name, deadLetterQueue: 'graveyard' }))
    await expect(connection.declare({ queues: both }, 'create')).rejects.toMatchObject({
      code: 'POSTHORN_TOPOLOGY_MISMATCH',
    })
    expect(connection.native.sources()).toEqual([])
    await connection.declare({ queues: both.slice(0, 1) }, 'create')
    await expect(connection.declare({ queues: both.slice(1) }, 'create')).rejects.toMatchObject({
      code: 'POSTHORN_TOPOLOGY_MISMATCH',
      message: expect.stringContaining('"orders"'),
    })
  })

  test('makes a dead-letter queue as it is declared for itself', async () => {
    const client = await createLab().connect()
    await client.connection.declare(
      { queues: [{ name: 'orders' }, { name: 'orders.dlq', maxMessages: 1 }] },
      'create',
    )
    expect(await client.send('orders.dlq', message('a'), message('b'))).toMatchObject([
      'confirmed',
      { code: 'POSTHORN_QUEUE_FULL' },
    ])
  })
})

describe('plan', () => {
  test('tells what would be made and what differs, and changes nothing', async () => {
    const { connection } = await createLab().connect()
    await connection.declare(
      { topics: [{ name: 'events' }], queues: [{ name: 'orders', maxMessages: 5 }] },
      'create',
    )
    const before = [...connection.native.sources(), ...connection.native.topics()]
    const items = await connection.plan(topology)
    expect(items.map(({ kind, part, name, action }) => `${kind} ${part} ${name}: ${action}`)).toEqual([
      'topic main events: none',
      'queue deadLetters orders: none',
      'subscription deadLetters events/billing: create',
      'queue main orders: mismatch',
      'subscription main events/billing: create',
    ])
    expect(items[3]).toMatchObject({
      nativeName: 'orders',
      complete: true,
      differences: [{ argument: 'maxMessages', wanted: 10, found: 5 }],
    })
    expect([...connection.native.sources(), ...connection.native.topics()]).toEqual(before)
  })
})

describe('namespaces', () => {
  test('keep equal names apart', async () => {
    const lab = createLab()
    const clients = await Promise.all(
      ['', 'one', 'two'].map((namespace) => lab.connect(undefined, namespace)),
    )
    const readers = []
    for (const [index, client] of clients.entries()) {
      await client.connection.declare(topology, 'create')
      readers.push(await client.consume(queue('orders')), await client.consume(group('events', 'billing')))
      await client.send('orders', message(`queue ${index}`))
      await client.publish({ kind: 'topic', name: 'events' }, [
        message(`topic ${index}`, { routingKey: 'order.paid' }),
      ])
    }
    await lab.turn()
    expect(readers.map((reader) => reader.ids)).toEqual([
      ['queue 0'],
      ['topic 0'],
      ['queue 1'],
      ['topic 1'],
      ['queue 2'],
      ['topic 2'],
    ])
    const [item] = await (clients[1]?.connection.plan({ queues: [{ name: 'orders' }] }) ?? [])
    expect(item).toMatchObject({ name: 'orders', nativeName: 'one:orders.dlq' })
  })
})
