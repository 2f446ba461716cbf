import { describe, expect, test } from 'vitest'
import { createLab, message, queue, group } from '../../test/memory-driver.ts'

const body = new TextEncoder().encode('{"order":1}')

describe('a message of a foreign program', () => {
  test('arrives with an identity from its position, the same on every hand-out', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    await client.send('orders', message('before'))
    lab.broker.raw.put('orders', {
      body,
      headers: { 'x-trace': 'abc' },
      properties: { contentType: 'application/json' },
    })
    await client.send('orders', message('after'))
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    const [, foreign] = reader.deliveries
    expect(foreign).toMatchObject({
      invalid: undefined,
      message: {
        idMadeUp: false,
        type: '',
        attempt: 1,
        contentType: 'application/json',
        headers: { 'x-trace': 'abc' },
      },
    })
    expect(foreign?.message.body).toEqual(body)
    expect(reader.ids).toEqual(['before', foreign?.message.id, 'after'])
    lab.broker.faults.dropLeases('orders')
    await lab.turn()
    expect(reader.ids.slice(3)).toEqual(reader.ids.slice(0, 3))
  })

  test('has another made-up id on each hand-out where there is no position', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    lab.broker.raw.put('orders', { body, hasPosition: false })
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    lab.broker.faults.dropLeases('orders')
    await lab.turn()
    expect(reader.deliveries.map((delivery) => delivery.message.idMadeUp)).toEqual([true, true])
    expect(new Set(reader.ids).size).toBe(2)
  })

  test('that forges our headers is marked, on every hand-out', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    lab.broker.raw.put('orders', { body, headers: { 'posthorn-attempt': '1e309' } })
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    lab.broker.faults.dropLeases('orders')
    await lab.turn()
    expect(reader.deliveries).toHaveLength(2)
    for (const delivery of reader.deliveries) expect(delivery.invalid).toContain('posthorn-attempt')
  })

  test('keeps its bytes, whatever the program does to its own', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    const bytes = Uint8Array.of(1, 2, 3)
    lab.broker.raw.put('orders', { body: bytes })
    bytes.fill(9)
    expect(lab.broker.raw.messages('orders')[0]?.message.body).toEqual(Uint8Array.of(1, 2, 3))
  })

  test('can be put to a group, and not to what is not there', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.connection.declare({ subscriptions: [{ topic: 'events', group: 'billing' }] }, 'create')
    lab.broker.raw.put('events/billing', { body, properties: { id: 'theirs', key: 'k', priority: 255 } })
    const reader = await client.consume(group('events', 'billing'))
    await lab.turn()
    expect(reader.delivery('theirs').message).toMatchObject({ key: 'k', priority: 9 })
    expect(() => lab.broker.raw.put('orders', { body })).toThrow(/There is no source "orders"/)
  })
})

describe('a look at what is stored', () => {
  test('finds every message, whatever its state', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    await client.send('orders', ...['1', '2', '3', '4'].map((id) => message(id, { key: 'a' })))
    const one = await client.consume(queue('orders'), { order: 'key', window: 2 })
    await lab.turn()
    await client.consume(queue('orders'), { order: 'key' })
    await lab.turn()
    one.consumer.window(one.scope, 0)
    await one.settle('1', 'retry', { delayMs: 1_000, message: { attempt: 2 } })
    await one.settle('2', 'hold', { message: { attempt: 5 } })
    await client.send('orders', message('5', { notBefore: lab.clock.now() + 500 }))
    const stored = lab.broker.raw.messages('orders')
    const shown = stored.map(
      ({ state, deliveries, message: { id, attempt } }) => `${id} ${state} ${deliveries} ${attempt}`,
    )
    expect(shown.toSorted()).toEqual([
      '1 delayed 1 2',
      '2 inFlight 1 5',
      '3 ready 0 1',
      '4 ready 0 1',
      '5 delayed 0 1',
    ])
    expect(client.connection.native.messages('orders')).toEqual(stored)
    expect(client.connection.native.depth('orders')).toMatchObject({ ready: 2, delayed: 2, inFlight: 1 })
  })

  test('finds nothing where there is nothing', async () => {
    const lab = createLab()
    const { connection } = await lab.connect()
    expect(lab.broker.raw.messages('orders')).toEqual([])
    expect(() => connection.native.messages('orders')).toThrow(/There is no source "orders"/)
  })
})

describe('taking as a foreign program does', () => {
  test('gives what is first among what is ready, until nothing is', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    await client.send('orders', message('held'))
    const reader = await client.consume(queue('orders'), { window: 1 })
    await lab.turn()
    const delayed = message('delayed', { notBefore: lab.clock.now() + 500 })
    await client.send('orders', message('a'), message('b'), message('urgent', { priority: 9 }), delayed)

    const take = (): string | undefined => lab.broker.raw.take('orders')?.message.id
    expect([take(), take(), take(), take()]).toEqual(['urgent', 'a', 'b', undefined])
    expect(client.connection.native.depth('orders')).toMatchObject({ ready: 0, delayed: 1, inFlight: 1 })
    expect(await reader.settle('held', 'ack')).toBe('confirmed')
    expect(lab.broker.raw.messages('orders')).toMatchObject([{ state: 'delayed', message: delayed }])
    expect(lab.broker.raw.take('nowhere')).toBeUndefined()
  })

  test('makes room in a queue with a bound', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders', { maxMessages: 1 })
    expect(await client.send('orders', message('a'), message('b'))).toMatchObject(['confirmed', {}])
    lab.broker.raw.take('orders')
    expect(await client.send('orders', message('c'))).toEqual(['confirmed'])
  })

  test('gives what waits for a busy key, and lets the rest of that key go on', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    await client.send('orders', ...['1', '2', '3'].map((id) => message(id, { key: 'a' })))
    const one = await client.consume(queue('orders'), { order: 'key', window: 1 })
    const two = await client.consume(queue('orders'), { order: 'key' })
    await lab.turn()
    expect([one.ids, two.ids]).toEqual([['1'], []])
    expect(lab.broker.raw.take('orders')?.message.id).toBe('2')
    await one.settle('1', 'ack')
    await lab.turn()
    expect([...one.ids, ...two.ids]).toEqual(['1', '3'])
    expect(lab.broker.raw.take('orders')).toBeUndefined()
  })

  test('passes over what the driver would filter', async () => {
    const lab = createLab({ patterns: 'client' })
    const client = await lab.connect()
    const subscriptions = [{ topic: 'events', group: 'billing', patterns: ['order.*'] }]
    await client.connection.declare({ subscriptions }, 'create')
    const events = ['user.created', 'order.created', 'user.gone'].map((type) =>
      message(type, { routingKey: type }),
    )
    await client.publish({ kind: 'topic', name: 'events' }, events)
    expect(lab.broker.raw.take('events/billing')?.message.id).toBe('order.created')
    expect(lab.broker.raw.take('events/billing')).toBeUndefined()
    expect(client.connection.native.depth('events/billing')).toMatchObject({ ready: 0 })
  })
})
