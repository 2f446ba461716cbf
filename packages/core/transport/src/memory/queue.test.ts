import { describe, expect, test } from 'vitest'
import { createLab, message, messages, queue } from '../../test/memory-driver.ts'

describe('a bounded queue', () => {
  test('refuses beyond its number of messages, until one is done', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders', { maxMessages: 2 })
    const outcomes = await client.send('orders', ...messages('a', 'b', 'c'))
    expect(outcomes).toMatchObject([
      'confirmed',
      'confirmed',
      { code: 'POSTHORN_QUEUE_FULL', outcome: 'rejected', retryable: true },
    ])
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    expect(await client.send('orders', message('d'))).toMatchObject([{ code: 'POSTHORN_QUEUE_FULL' }])
    await reader.settle('a', 'ack')
    expect(await client.send('orders', ...messages('d', 'e'))).toMatchObject([
      'confirmed',
      { code: 'POSTHORN_QUEUE_FULL' },
    ])
  })

  test('refuses beyond its bytes', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.connection.declare({ queues: [{ name: 'orders', maxBytes: 10 }] }, 'create')
    const outcomes = await client.send(
      'orders',
      message('a', { body: new Uint8Array(6) }),
      message('b', { body: new Uint8Array(5) }),
      message('c', { body: new Uint8Array(4) }),
    )
    expect(outcomes).toMatchObject(['confirmed', { code: 'POSTHORN_QUEUE_FULL' }, 'confirmed'])
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    await reader.settle('a', 'retry', { message: { body: new Uint8Array(1) } })
    expect(await client.send('orders', message('d', { body: new Uint8Array(5) }))).toEqual(['confirmed'])
    await reader.settle('c', 'ack')
    expect(await client.send('orders', message('e', { body: new Uint8Array(4) }))).toEqual(['confirmed'])
    expect(await client.send('orders', message('f', { body: new Uint8Array(1) }))).toMatchObject([
      { code: 'POSTHORN_QUEUE_FULL' },
    ])
  })

  test('never refuses what comes back to it', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders', { maxMessages: 1 })
    await client.send('orders', message('a'))
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    expect(await reader.settle('a', 'deadLetter')).toBe('confirmed')
    expect(await client.send('orders', message('b'))).toEqual(['confirmed'])
    await lab.turn()
    expect(await reader.settle('b', 'retry', { delayMs: 10 })).toBe('confirmed')
    const pass = await client.connection.openDeadLetters(queue('orders'), undefined)
    const [entry] = await pass.read(1)
    if (entry === undefined) throw new Error('There is no dead letter.')
    expect(await pass.decide([{ entry, decision: 'replay', message: entry.message }])).toEqual(['confirmed'])
    await lab.clock.advance(10)
    expect(reader.ids).toEqual(['a', 'b', 'a', 'b'])
  })
})

describe('deduplication', () => {
  test('confirms a repeated id and does not store it again', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders', { deduplicationWindowMs: 1_000 })
    expect(await client.send('orders', ...messages('a', 'a', 'b'))).toEqual([
      'confirmed',
      'confirmed',
      'confirmed',
    ])
    const reader = await client.consume(queue('orders'), { acks: true })
    await lab.clock.advance(999)
    await client.send('orders', message('a'))
    await lab.clock.advance(1)
    expect(reader.ids).toEqual(['a', 'b'])
    await client.send('orders', message('a'))
    await lab.turn()
    expect(reader.ids).toEqual(['a', 'b', 'a'])
  })

  test('does not swallow what is retried or replayed', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders', { deduplicationWindowMs: 60_000 })
    await client.send('orders', message('a'))
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    await reader.settle('a', 'retry', { message: { attempt: 2 } })
    await lab.turn()
    await reader.settle('a', 'deadLetter')
    const pass = await client.connection.openDeadLetters(queue('orders'), undefined)
    const [entry] = await pass.read(1)
    if (entry === undefined) throw new Error('There is no dead letter.')
    await pass.decide([{ entry, decision: 'replay', message: { ...entry.message, replays: 1 } }])
    await lab.turn()
    expect(reader.ids).toEqual(['a', 'a', 'a'])
  })

  test('remembers no id that was refused', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders', { deduplicationWindowMs: 60_000, maxMessages: 1 })
    await client.send('orders', ...messages('a', 'b'))
    const reader = await client.consume(queue('orders'), { acks: true })
    await lab.turn()
    expect(await client.send('orders', message('b'))).toEqual(['confirmed'])
    await lab.turn()
    expect(reader.ids).toEqual(['a', 'b'])
  })

  test('is refused where there is none', async () => {
    const client = await createLab({ deduplication: false }).connect()
    const declaring = client.declareQueue('orders', { deduplicationWindowMs: 60_000 })
    await expect(declaring).rejects.toMatchObject({ code: 'POSTHORN_UNSUPPORTED' })
  })
})

describe('limits', () => {
  test('refuse a body and headers that are too large, each for itself', async () => {
    const lab = createLab({ maxBodyBytes: 4, maxHeaderBytes: 6 })
    const client = await lab.connect()
    await client.declareQueue('orders')
    const outcomes = await client.send(
      'orders',
      message('a', { body: new Uint8Array(5) }),
      message('b', { body: new Uint8Array(4), headers: { abc: 'def' } }),
      message('c', { headers: { abc: 'é1', d: 'e' } }),
    )
    expect(outcomes).toMatchObject([
      { code: 'POSTHORN_BODY_TOO_LARGE', outcome: 'rejected', retryable: false },
      'confirmed',
      { code: 'POSTHORN_HEADERS_TOO_LARGE', outcome: 'rejected' },
    ])
    expect(client.connection.capabilities.limits).toMatchObject({ maxBodyBytes: 4, maxHeaderBytes: 6 })
  })
})

describe('depth', () => {
  test('tells what is where', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    const startedAt = lab.clock.now()
    const sent = ['a', 'b', 'c', 'd'].map((id) => message(id, { time: startedAt }))
    await client.send('orders', ...sent, message('later', { notBefore: startedAt + 60_000 }))
    const reader = await client.consume(queue('orders'), { window: 2 })
    await lab.clock.advance(5_000)
    expect(await client.connection.depth(queue('orders'))).toEqual({
      ready: 2,
      delayed: 1,
      inFlight: 2,
      deadLettered: 0,
      oldestAgeMs: 5_000,
      lag: undefined,
    })
    reader.consumer.window(reader.scope, 0)
    await reader.settle('a', 'deadLetter')
    await reader.settle('b', 'retry', { delayMs: 10_000 })
    expect(await client.connection.depth(queue('orders'))).toMatchObject({
      ready: 2,
      delayed: 2,
      inFlight: 0,
      deadLettered: 1,
    })
  })

  test('is zero everywhere for an empty queue', async () => {
    const client = await createLab().connect()
    await client.declareQueue('orders')
    expect(await client.connection.depth(queue('orders'))).toMatchObject({
      ready: 0,
      delayed: 0,
      inFlight: 0,
      oldestAgeMs: 0,
    })
  })

  test('finds the oldest among what is new, came back or is parked', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    const age = async (): Promise<number | undefined> =>
      (await client.connection.depth(queue('orders'))).oldestAgeMs
    const now = lab.clock.now()
    await client.send(
      'orders',
      message('a1', { key: 'a', time: now - 300 }),
      message('new', { time: now - 100, priority: 9 }),
    )
    expect(await age()).toBe(300)
    const one = await client.consume(queue('orders'), { order: 'key', window: 2 })
    await lab.turn()
    const two = await client.consume(queue('orders'), { order: 'key' })
    await client.send('orders', message('a2', { key: 'a', time: now - 200 }))
    await lab.turn()
    expect([one.ids, two.ids, await age()]).toEqual([['new', 'a1'], [], 200])
    for (const reader of [one, two]) reader.consumer.window(reader.scope, 0)
    await one.settle('a1', 'release')
    expect(await age()).toBe(300)
  })
})
