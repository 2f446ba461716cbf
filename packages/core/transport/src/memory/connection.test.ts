import { describe, expect, test } from 'vitest'
import { createLab, group, message, messages, queue } from '../../test/memory-driver.ts'

describe('sending', () => {
  test('to a queue that is not there is unroutable, for each message', async () => {
    const client = await createLab().connect()
    expect(await client.send('orders', ...messages('a', 'b'))).toMatchObject([
      { code: 'POSTHORN_UNROUTABLE', outcome: 'rejected' },
      { code: 'POSTHORN_UNROUTABLE', outcome: 'rejected' },
    ])
  })

  test('answers for each message by itself', async () => {
    const client = await createLab({ maxBodyBytes: 4 }).connect()
    await client.declareQueue('orders')
    const outcomes = await client.send(
      'orders',
      message('a'),
      message('b', { body: new Uint8Array(5) }),
      message('c'),
    )
    expect(outcomes).toMatchObject(['confirmed', { code: 'POSTHORN_BODY_TOO_LARGE' }, 'confirmed'])
  })
})

describe('consuming', () => {
  test('needs a queue or group that is there', async () => {
    const client = await createLab().connect()
    for (const source of [queue('orders'), group('events', 'billing')]) {
      await expect(client.consume(source)).rejects.toMatchObject({ code: 'POSTHORN_TOPOLOGY_MISSING' })
      await expect(client.connection.depth(source)).rejects.toMatchObject({
        code: 'POSTHORN_TOPOLOGY_MISSING',
      })
      await expect(client.connection.countDeadLetters(source)).rejects.toMatchObject({
        code: 'POSTHORN_TOPOLOGY_MISSING',
      })
      await expect(client.connection.openDeadLetters(source, undefined)).rejects.toMatchObject({
        code: 'POSTHORN_TOPOLOGY_MISSING',
      })
    }
  })

  test('calls the sink in the turn after it has resolved, and gets what is sent then', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    await client.send('orders', message('a'))
    const reader = await client.consume(queue('orders'))
    expect(reader.scopes).toEqual([])
    await client.send('orders', message('b'))
    await lab.turn()
    expect([reader.scopes.length, reader.ids]).toEqual([1, ['a', 'b']])
  })
})

describe('an inbox', () => {
  const inbox = { kind: 'inbox', name: 'inbox/1' } as const

  test('takes what is sent to it, and nothing once it is closed', async () => {
    const lab = createLab()
    const client = await lab.connect()
    const other = await lab.connect()
    const reader = await client.consume(inbox)
    expect(await other.publish(inbox, messages('a'))).toEqual(['confirmed'])
    await lab.turn()
    expect(reader.ids).toEqual(['a'])
    await reader.consumer.close()
    expect(await other.publish(inbox, messages('b'))).toMatchObject([
      { code: 'POSTHORN_UNROUTABLE', outcome: 'rejected' },
    ])
  })

  test('is gone with its connection', async () => {
    const lab = createLab()
    await (await lab.connect('gone')).consume(inbox)
    const other = await lab.connect()
    lab.broker.faults.cut('gone')
    expect(await other.publish(inbox, messages('a'))).toMatchObject([{ code: 'POSTHORN_UNROUTABLE' }])
  })

  test('has its name for itself', async () => {
    const lab = createLab()
    await (await lab.connect()).consume(inbox)
    await expect((await lab.connect()).consume(inbox)).rejects.toMatchObject({
      code: 'POSTHORN_TOPOLOGY_MISSING',
    })
  })

  test('refuses beyond its room', async () => {
    const client = await createLab().connect()
    await client.consume(inbox, { window: 0 })
    for (let batch = 0; batch < 10; batch++) {
      await client.publish(
        inbox,
        Array.from({ length: 1_000 }, (_, index) => message(`${batch}-${index}`)),
      )
    }
    expect(await client.publish(inbox, messages('more'))).toMatchObject([{ code: 'POSTHORN_QUEUE_FULL' }])
  })
})

describe('closing a connection', () => {
  test('gives everything back uncounted, and ends all that was only for it', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    await client.send('orders', ...messages('a', 'b'))
    const reader = await client.consume(queue('orders'))
    await client.consume({ kind: 'inbox', name: 'inbox/1' })
    await lab.turn()
    await client.connection.close()
    await client.connection.close()
    const other = await lab.connect()
    const next = await other.consume(queue('orders'))
    await lab.turn()
    expect(next.deliveries.map(({ deliveries, message: { id } }) => `${id} ${deliveries}`)).toEqual([
      'a 1',
      'b 1',
    ])
    expect(await reader.settle('a', 'ack')).toBe('lost')
    expect(await reader.renew('a')).toBe('lost')
    expect(other.connection.native.sources()).toEqual(['orders.dlq', 'orders'])
    expect(client.lost).toEqual([])
  })

  test('refuses everything afterwards', async () => {
    const client = await createLab().connect()
    await client.declareQueue('orders')
    await client.connection.close()
    const lost = { code: 'POSTHORN_CONNECTION_LOST' }
    expect(await client.send('orders', message('a'))).toMatchObject([{ ...lost, outcome: 'rejected' }])
    await expect(client.declareQueue('others')).rejects.toMatchObject(lost)
    await expect(client.connection.plan({})).rejects.toMatchObject(lost)
    await expect(client.consume(queue('orders'))).rejects.toMatchObject(lost)
    await expect(client.connection.depth(queue('orders'))).rejects.toMatchObject(lost)
    await expect(client.connection.openDeadLetters(queue('orders'), undefined)).rejects.toMatchObject(lost)
  })

  test('before a consumer has begun leaves its sink alone', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    await client.send('orders', message('a'))
    const reader = await client.consume(queue('orders'))
    await client.connection.close()
    await lab.turn()
    expect([reader.scopes, reader.ids]).toEqual([[], []])
  })
})

describe('dead letters', () => {
  test('are no matter of what is at most once', async () => {
    const client = await createLab().connect()
    await client.consume({ kind: 'inbox', name: 'inbox/1' })
    const source = { kind: 'inbox', name: 'inbox/1' } as const
    await expect(client.connection.openDeadLetters(source, undefined)).rejects.toMatchObject({
      code: 'POSTHORN_UNSUPPORTED',
    })
    expect(await client.connection.countDeadLetters(source)).toBe(0)
    expect(await client.connection.depth(source)).toMatchObject({ deadLettered: 0 })
  })
})
