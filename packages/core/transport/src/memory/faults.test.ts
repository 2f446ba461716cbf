import { describe, expect, test } from 'vitest'
import { createMemoryBroker } from './broker.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { createLab, message, messages, queue, settlement } from '../../test/memory-driver.ts'
import type { Client, Lab } from '../../test/memory-driver.ts'
import type { MemoryBrokerOptions } from './options.ts'

async function start(...ids: readonly string[]): Promise<{ lab: Lab; client: Client }> {
  return startWith({}, ...ids)
}

async function startWith(
  options: MemoryBrokerOptions & { readonly seed?: number },
  ...ids: readonly string[]
): Promise<{ lab: Lab; client: Client }> {
  const lab = createLab(options)
  const client = await lab.connect('one')
  await client.declareQueue('orders')
  if (ids.length > 0) await client.send('orders', ...messages(...ids))
  return { lab, client }
}

describe('cut', () => {
  test('loses the connections of a name: they are told, and what they hold goes back, counted', async () => {
    const { lab, client } = await start('a', 'b')
    const other = await lab.connect('two')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    const next = await other.consume(queue('orders'))
    lab.broker.faults.cut('one')
    await lab.turn()
    expect(client.lost).toMatchObject([{ code: 'POSTHORN_CONNECTION_LOST', retryable: true }])
    expect(other.lost).toEqual([])
    expect(next.deliveries.map(({ deliveries, message: { id } }) => `${id} ${deliveries}`)).toEqual([
      'a 2',
      'b 2',
    ])
    expect(await reader.settle('a', 'ack')).toBe('lost')
    expect([reader.lostScopes, reader.endings]).toEqual([[], []])
  })

  test('loses all connections without a name', async () => {
    const { lab, client } = await start()
    const other = await lab.connect()
    lab.broker.faults.cut()
    lab.broker.faults.cut()
    expect([client.lost.length, other.lost.length]).toEqual([1, 1])
  })

  test('works from inside of a delivery', async () => {
    const { lab, client } = await start('a', 'b')
    const one = await client.consume(queue('orders'), { window: 1 })
    const two = await (await lab.connect('two')).consume(queue('orders'), { window: 1 })
    const three = await (await lab.connect('three')).consume(queue('orders'), { window: 2 })
    one.onDeliver = () => lab.broker.faults.cut('two')
    await lab.turn()
    expect([one.ids, two.ids, three.ids.toSorted()]).toEqual([['a'], [], ['b']])
  })
})

describe('crash', () => {
  test('gives back what a process held, counted, and it neither hears nor does anything more', async () => {
    const { lab, client } = await start('a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    const other = await (await lab.connect('two')).consume(queue('orders'))
    lab.broker.faults.crash('one')
    await lab.turn()
    expect(other.delivery('a').deliveries).toBe(2)
    expect(await reader.settle('a', 'ack')).toBe('lost')
    expect(await client.send('orders', message('b'))).toMatchObject([{ code: 'POSTHORN_CONNECTION_LOST' }])
    reader.consumer.window(reader.scope, 50)
    await lab.turn()
    expect([client.lost, reader.lostScopes, reader.endings, reader.ids]).toEqual([[], [], [], ['a']])
  })

  test('kills a process that is about to connect again, and nobody who has its name afterwards', async () => {
    const clock = createVirtualClock()
    const broker = createMemoryBroker({ clock })
    const killed = await broker.connect({ name: 'one' })
    broker.faults.cut('one')
    const sending = killed.send('orders', { data: 'never there' }).catch((error: unknown) => error)
    broker.faults.crash('one')
    const next = await broker.connect({ name: 'one' })
    await clock.advance(60_000)
    expect(killed.health().state).toBe('connecting')
    expect(await sending).toMatchObject({ code: 'POSTHORN_TIMEOUT', outcome: 'rejected' })
    expect(broker.raw.messages('orders')).toEqual([])
    await next.send('orders', { data: 'there' })
    expect(broker.raw.messages('orders')).toHaveLength(1)

    await Promise.all([killed.close(), next.close()])
    expect(clock.pending).toBe(0)
  })
})

describe('refuse', () => {
  test('fails connecting in a way that may pass, or for good, until it ends', async () => {
    const lab = createLab()
    lab.broker.faults.refuse(true)
    await expect(lab.connect()).rejects.toMatchObject({ code: 'POSTHORN_CONNECT_FAILED', retryable: true })
    lab.broker.faults.refuse(true, { fatal: true })
    await expect(lab.connect()).rejects.toMatchObject({ code: 'POSTHORN_ACCESS_DENIED', retryable: false })
    lab.broker.faults.refuse(false)
    await expect(lab.connect()).resolves.toBeDefined()
  })
})

describe('publishing faults', () => {
  test('store without a confirmation', async () => {
    const { lab, client } = await start()
    lab.broker.faults.loseConfirmations(2)
    expect(await client.send('orders', ...messages('a', 'b', 'c'))).toMatchObject([
      { code: 'POSTHORN_CONNECTION_LOST', outcome: 'unknown' },
      { outcome: 'unknown' },
      'confirmed',
    ])
    expect(lab.broker.raw.messages('orders')).toHaveLength(3)
  })

  test('refuse without storing', async () => {
    const { lab, client } = await start()
    lab.broker.faults.rejectPublishes(1)
    lab.broker.faults.rejectPublishes(1, 'POSTHORN_QUEUE_FULL')
    expect(await client.send('orders', ...messages('a', 'b', 'c'))).toMatchObject([
      { code: 'POSTHORN_QUEUE_FULL', outcome: 'rejected' },
      { code: 'POSTHORN_QUEUE_FULL', outcome: 'rejected' },
      'confirmed',
    ])
    expect(lab.broker.raw.messages('orders')).toHaveLength(1)
  })

  test('store twice', async () => {
    const { lab, client } = await start()
    lab.broker.faults.duplicate(1)
    await client.send('orders', ...messages('a', 'b'))
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    expect(reader.ids).toEqual(['a', 'a', 'b'])
  })

  test('block: publishes wait, and are refused when their time is over without being written', async () => {
    const { lab, client } = await start()
    lab.broker.faults.block('memory is short')
    const late = await lab.connect()
    await lab.turn()
    expect([client.blocked, late.blocked]).toEqual([['memory is short'], ['memory is short']])
    const patient = client.send('orders', message('patient'))
    const hasty = client.publish({ kind: 'queue', name: 'orders', shards: 1 }, messages('hasty'), 1_000)
    await lab.clock.advance(1_000)
    expect(await hasty).toMatchObject([{ code: 'POSTHORN_TIMEOUT', outcome: 'rejected' }])
    lab.broker.faults.block(undefined)
    expect(await patient).toEqual(['confirmed'])
    expect(client.blocked).toEqual(['memory is short', undefined])
    expect(lab.broker.raw.messages('orders').map((stored) => stored.message.id)).toEqual(['patient'])
    expect(lab.clock.pending).toBe(0)
  })

  test('freeze: no answer, and what was written is stored late', async () => {
    const { lab, client } = await start()
    lab.broker.faults.freezePublishes(true)
    const sending = client.publish({ kind: 'queue', name: 'orders', shards: 1 }, messages('a'), 1_000)
    await lab.clock.advance(1_000)
    expect(await sending).toMatchObject([{ code: 'POSTHORN_TIMEOUT', outcome: 'unknown' }])
    expect(lab.broker.raw.messages('orders')).toEqual([])
    lab.broker.faults.freezePublishes(false)
    expect(lab.broker.raw.messages('orders')).toHaveLength(1)
  })

  test('a connection that is cut meanwhile knows what was written and what was not', async () => {
    const { lab, client } = await start()
    lab.broker.faults.freezePublishes(true)
    const written = client.send('orders', message('a'))
    lab.broker.faults.block('memory is short')
    const unwritten = client.send('orders', message('b'))
    lab.broker.faults.cut()
    expect(await written).toMatchObject([{ code: 'POSTHORN_CONNECTION_LOST', outcome: 'unknown' }])
    expect(await unwritten).toMatchObject([{ code: 'POSTHORN_CONNECTION_LOST', outcome: 'rejected' }])
  })
})

describe('interrupt', () => {
  test('lets nothing through in either direction, and everything afterwards', async () => {
    const { lab, client } = await start('a')
    const reader = await client.consume(queue('orders'), { window: 2 })
    await lab.turn()
    lab.broker.faults.interrupt('the network is down', 'one')
    const other = await lab.connect('two')
    await other.send('orders', message('b'))
    const settling = reader.settle('a', 'ack')
    const renewing = reader.renew('a')
    const sending = client.send('orders', message('c'))
    const counting = client.connection.depth(queue('orders'))
    await lab.clock.advance(1_000)
    expect(client.unreachable).toEqual(['the network is down'])
    expect(lab.broker.raw.messages('orders').map(({ state, message: { id } }) => `${id} ${state}`)).toEqual([
      'a inFlight',
      'b ready',
    ])
    lab.broker.faults.interrupt(undefined)
    expect([await settling, await renewing, await sending]).toEqual(['confirmed', 'lost', ['confirmed']])
    expect(await counting).toBeDefined()
    await lab.turn()
    expect([reader.ids, client.unreachable]).toEqual([
      ['a', 'b', 'c'],
      ['the network is down', undefined],
    ])
  })

  test('outlasts a lease', async () => {
    const { lab, client } = await start('a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    lab.broker.faults.interrupt('the network is down')
    const settling = reader.settle('a', 'ack')
    await lab.clock.advance(30_000)
    lab.broker.faults.interrupt(undefined)
    expect(await settling).toBe('lost')
    await lab.turn()
    expect(reader.delivery('a').deliveries).toBe(2)
  })

  test('may end with the connection', async () => {
    const { lab, client } = await start('a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    lab.broker.faults.interrupt('the network is down')
    const settling = reader.settle('a', 'ack')
    const sending = client.send('orders', message('b'))
    const declaring = client.declareQueue('others')
    lab.broker.faults.cut('one')
    expect(await settling).toBe('lost')
    expect(await sending).toMatchObject([{ outcome: 'rejected' }])
    await expect(declaring).rejects.toMatchObject({ code: 'POSTHORN_CONNECTION_LOST' })
  })
})

describe('handing-out faults', () => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

  test('reorder: another order for so many, the same for the same seed, and nothing lost', async () => {
    const orders: (readonly string[])[] = []
    for (const seed of [7, 7, 8]) {
      const { lab, client } = await startWith({ seed }, ...ids)
      lab.broker.faults.reorder(5)
      const reader = await client.consume(queue('orders'))
      await lab.turn()
      expect(reader.ids.toSorted()).toEqual(ids)
      expect(reader.ids.slice(5)).toEqual(['f', 'g', 'h'])
      orders.push(reader.ids)
    }
    expect(orders[0]).toEqual(orders[1])
    expect(orders[0]).not.toEqual(orders[2])
  })

  test('stall: nothing comes while everything looks healthy', async () => {
    const { lab, client } = await start('a')
    lab.broker.faults.stall('orders', true)
    const reader = await client.consume(queue('orders'))
    await lab.clock.advance(100_000)
    expect(reader.ids).toEqual([])
    expect(await client.connection.depth(queue('orders'))).toMatchObject({ ready: 1 })
    lab.broker.faults.stall('orders', false)
    await lab.turn()
    expect(reader.ids).toEqual(['a'])
  })

  test('revoke: asks for the scope, takes settlements until it has it, and hands out another', async () => {
    const { lab, client } = await start('a', 'b', 'c')
    const reader = await client.consume(queue('orders'), { window: 2 })
    await lab.turn()
    let giveUp = (): void => {}
    reader.onRevoke = () => new Promise((resolve) => (giveUp = resolve))
    lab.broker.faults.revoke('orders')
    expect(reader.revoked).toEqual([reader.scopes[0]])
    expect(await reader.settle('a', 'ack')).toBe('confirmed')
    reader.consumer.window(reader.scope, 10)
    await lab.turn()
    expect(reader.ids).toEqual(['a', 'b'])
    const held = reader.delivery('b')
    giveUp()
    await lab.turn()
    expect(await reader.settleDelivery(held, 'ack')).toBe('lost')
    expect(reader.scopes).toHaveLength(2)
    expect(reader.ids).toEqual(['a', 'b', 'b', 'c'])
    expect(reader.delivery('b')).toMatchObject({ deliveries: 2, scope: reader.scopes[1] })
  })

  test('revoke: others get what comes meanwhile', async () => {
    const { lab, client } = await start()
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    reader.onRevoke = () => new Promise(() => {})
    lab.broker.faults.revoke('orders')
    const other = await client.consume(queue('orders'))
    await lab.turn()
    await client.send('orders', ...messages('a', 'b'))
    await lab.turn()
    expect([reader.ids, other.ids]).toEqual([[], ['a', 'b']])
  })

  test('revoke: waits no longer than its deadline, and asks once at a time', async () => {
    const { lab, client } = await start('a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    reader.onRevoke = () => new Promise(() => {})
    lab.broker.faults.revoke('orders')
    lab.broker.faults.revoke('orders')
    await lab.clock.advance(25_000)
    await reader.renew('a')
    await lab.clock.advance(25_000)
    await reader.renew('a')
    await lab.clock.advance(19_999)
    expect([reader.scopes.length, reader.revoked.length]).toEqual([1, 1])
    await lab.clock.advance(1)
    expect(reader.ids).toEqual(['a', 'a'])
  })

  test('revoke: what was taken for the scope in the same turn goes back uncounted', async () => {
    const { lab, client } = await start('a', 'b')
    const one = await client.consume(queue('orders'), { window: 1 })
    const two = await client.consume(queue('orders'), { window: 1 })
    one.onDeliver = () => {
      if (two.revoked.length === 0) lab.broker.faults.revoke('orders')
    }
    await lab.turn()
    expect(two.deliveries.map((delivery) => delivery.deliveries)).toEqual([1])
    expect(two.delivery('b').scope).toBe(two.scopes[1])
  })

  test('dropLeases: leases end at once, without a word', async () => {
    const { lab, client } = await start('a')
    const reader = await client.consume(queue('orders'), { window: 1 })
    await lab.turn()
    const first = reader.delivery('a')
    lab.broker.faults.dropLeases('orders')
    await lab.turn()
    expect([reader.ids, reader.lostScopes]).toEqual([['a', 'a'], []])
    expect(await reader.settleDelivery(first, 'ack')).toBe('lost')
    expect(reader.delivery('a').deliveries).toBe(2)
  })

  test('dropLeases: a session ends as a whole, and says so', async () => {
    const { lab, client } = await startWith({ lease: { scope: 'session' } }, 'a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    lab.broker.faults.dropLeases('orders')
    await lab.turn()
    expect(reader.lostScopes).toEqual([reader.scopes[0]])
    expect(reader.delivery('a')).toMatchObject({ deliveries: 2, scope: reader.scopes[1] })
  })

  test('endConsumers: consumers are told, connections live on', async () => {
    const { lab, client } = await start('a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    lab.broker.faults.endConsumers('orders')
    expect(reader.endings).toMatchObject([{ code: 'POSTHORN_CONSUMER_ENDED', retryable: true }])
    expect(await reader.settle('a', 'ack')).toBe('lost')
    const next = await client.consume(queue('orders'))
    await lab.turn()
    expect([next.delivery('a').deliveries, client.lost]).toEqual([2, []])
  })

  test('loseDeclared: the queue is gone, with its messages and consumers', async () => {
    const { lab, client } = await start('a', 'b')
    const reader = await client.consume(queue('orders'), { window: 1 })
    await lab.turn()
    const late = await client.consume(queue('orders'))
    lab.broker.faults.loseDeclared('orders')
    await lab.turn()
    expect(reader.endings).toMatchObject([{ code: 'POSTHORN_CONSUMER_ENDED' }])
    expect(late.endings).toMatchObject([{ code: 'POSTHORN_CONSUMER_ENDED' }])
    expect(await reader.settle('a', 'ack')).toBe('lost')
    expect(await client.send('orders', message('c'))).toMatchObject([{ code: 'POSTHORN_UNROUTABLE' }])
    await client.declareQueue('orders')
    expect(lab.broker.raw.messages('orders')).toEqual([])
    expect(lab.clock.pending).toBe(0)
  })

  test('name the sources that there are', () => {
    const { broker } = createLab()
    for (const fault of ['revoke', 'dropLeases', 'endConsumers', 'loseDeclared'] as const) {
      expect(() => broker.faults[fault]('orders')).toThrow(/There is no source "orders"/)
    }
  })
})

describe('settling faults', () => {
  test('failSettlements: the delivery stays, and the next try works', async () => {
    const { lab, client } = await start('a', 'b')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    lab.broker.faults.failSettlements(1)
    const items = reader.deliveries.map((delivery) => settlement(delivery, 'ack'))
    expect(await reader.consumer.settle(reader.scope, items)).toMatchObject([
      { code: 'POSTHORN_SETTLE_FAILED', retryable: true },
      'confirmed',
    ])
    expect(await reader.settle('a', 'ack')).toBe('confirmed')
  })

  test('failDeadLetters: the message stays where it is', async () => {
    const { lab, client } = await start('a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    lab.broker.faults.failDeadLetters(1)
    expect(await reader.settle('a', 'deadLetter')).toMatchObject({ code: 'POSTHORN_SETTLE_FAILED' })
    expect(lab.broker.raw.messages('orders.dlq')).toEqual([])
    expect(lab.broker.raw.messages('orders')).toMatchObject([{ state: 'inFlight' }])
    expect(await reader.settle('a', 'deadLetter')).toBe('confirmed')
  })
})

test.each([
  'loseConfirmations',
  'rejectPublishes',
  'duplicate',
  'reorder',
  'failDeadLetters',
  'failSettlements',
] as const)('%s refuses what is no count', (fault) => {
  const { faults } = createMemoryBroker()
  for (const count of [-1, 1.5, Number.NaN, undefined as never]) {
    expect(() => faults[fault](count)).toThrow(`${fault}() takes a whole number from 0`)
  }
  expect(() => faults[fault](0)).not.toThrow()
})
