import { describe, expect, test } from 'vitest'
import { createConsumeBench, createGate, recordEvents } from '../../test/consume-bench.ts'
import { fixed } from './retry-delay.ts'

const never = (): Promise<never> => new Promise(() => {})
const fail = (): never => {
  throw new Error('no')
}

describe('a retry policy', () => {
  test.each([
    ['throws', () => fail()],
    ['answers NaN', () => Number.NaN],
    ['answers what is no number', () => '5' as never],
    ['answers less than 0', () => -1],
    ['answers Infinity', () => Infinity],
  ])('that %s is told of, and the default is used', async (_, retryDelay) => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const events = recordEvents(transport)
    const attempts: number[] = []
    await transport.consume(
      'orders',
      ({ data }, { attempt }) => {
        attempts.push(attempt)
        // The first one fails at once, the other one later.
        return data === 1 ? fail() : Promise.reject(new Error('no'))
      },
      { maxAttempts: 2, retryDelay },
    )
    await transport.sendMany('orders', [{ data: 1 }, { data: 2 }])
    await clock.advance(10_000)
    expect(attempts.map(String).toSorted()).toEqual(['1', '1', '2', '2'])
    expect(events.of('callbackFailed').map(({ where }) => where)).toEqual(
      Array(2).fill('retryDelay of "orders"'),
    )
    for (const { delayMs } of events.of('retried')) expect(delayMs).toBeGreaterThanOrEqual(1_000)
    expect(await transport.deadLetters('orders').count()).toBe(2)
    await close()
  })
})

describe('what a handler throws', () => {
  const hostile = Object.defineProperties(new Error('x'), {
    name: { get: fail },
    message: { value: { toString: fail } },
    code: { get: fail },
  })

  test('need not be an error, nor harmless', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const thrown: unknown[] = [hostile, undefined, null, Symbol('x'), Object.create(null), 'text']
    await transport.consume('orders', ({ data }) => Promise.reject(thrown[data as number]), {
      maxAttempts: 2,
      retryDelay: fixed(1),
    })
    await transport.sendMany(
      'orders',
      thrown.map((_, data) => ({ data })),
    )
    await clock.advance(1_000)
    const { entries } = await transport.deadLetters('orders').page({ limit: 10 })
    expect(entries.map(({ attempts, reason }) => [attempts, reason])).toEqual(
      thrown.map(() => [2, 'attempts-exhausted']),
    )
    await close()
  })
})

describe('a dead letter', () => {
  test('for a body that is too large says how large', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    await transport.consume('orders', fail, { maxBytes: 10 })
    await transport.send('orders', { data: 'x'.repeat(20) })
    await clock.advance(10)
    const { entries } = await transport.deadLetters('orders').page()
    expect(entries[0]).toMatchObject({
      reason: 'too-large',
      attempts: 0,
      error: { code: 'POSTHORN_BODY_TOO_LARGE', message: expect.stringContaining('22 bytes') as string },
    })
    await close()
  })

  test('is told of once, when it is stored, however often that had to be tried', async () => {
    const { clock, broker, open, close } = createConsumeBench()
    const transport = await open()
    const events = recordEvents(transport)
    broker.faults.failDeadLetters(2)
    const error = new Error('not today')
    await transport.consume('orders', (_, context) => context.deadLetter({ reason: 'invalid', error }))
    await transport.send('orders', { data: 1, id: 'order-1', type: 'order.created' })
    await clock.advance(60_000)
    expect(events.of('deadLetterFailed')).toHaveLength(2)
    expect(events.of('deadLettered')).toEqual([
      { id: 'order-1', type: 'order.created', source: 'orders', reason: 'invalid', attempts: 1, error },
    ])
    await close()
  })
})

describe('the type of a foreign message', () => {
  test('is its routing key where it has none, else the name of the queue', async () => {
    const { clock, broker, open, close } = createConsumeBench()
    const transport = await open()
    const events = recordEvents(transport)
    const seen: string[][] = []
    await transport.consume(
      'orders',
      ({ type, routingKey }) => {
        seen.push([type, routingKey])
        fail()
      },
      { maxAttempts: 1 },
    )
    broker.raw.put('orders', { body: Buffer.from('1'), properties: { routingKey: 'order.created' } })
    broker.raw.put('orders', { body: Buffer.from('2') })
    await clock.advance(10)
    expect(seen).toEqual([
      ['order.created', 'order.created'],
      ['orders', 'orders'],
    ])
    expect(events.of('deadLettered').map(({ type }) => type)).toEqual(['order.created', 'orders'])
    await close()
  })
})

describe('a batch', () => {
  test('takes the time of its handler only, not that of waiting for a slot', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const events = recordEvents(transport)
    const gate = createGate()
    const batches: unknown[][] = []
    const consumer = await transport.consume(
      'orders',
      async (messages) => {
        batches.push(messages.map(({ data }) => data))
        if (batches.length === 1) await gate.opened
      },
      {
        batch: { max: 2, waitMs: 1 },
        concurrency: 1,
        prefetch: 4,
        handlerTimeoutMs: 1_000,
        maxAttempts: 2,
        retryDelay: fixed(1),
      },
    )
    await transport.send('orders', { data: 1 })
    await clock.advance(10)
    await transport.send('orders', { data: 2 })
    await clock.advance(5_000)
    expect(events.of('handlerTimedOut').map(({ id }) => id)).toHaveLength(1)
    expect(batches).toEqual([[1]])
    expect(consumer.health()).toMatchObject({ state: 'down', abandoned: 1 })
    gate.open()
    await clock.advance(100)
    expect(batches.flat().map(String).toSorted()).toEqual(['1', '1', '2'])
    expect(events.of('retried')).toHaveLength(1)
    expect(consumer.health()).toMatchObject({ state: 'up', abandoned: 0, running: 0 })
    await close()
  })

  test('that hangs does not spend the attempts of the messages that wait for the next one', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const events = recordEvents(transport)
    await transport.consume('orders', never, {
      batch: { max: 2, waitMs: 1 },
      concurrency: 1,
      handlerTimeoutMs: 1_000,
      retryDelay: fixed(600_000),
    })
    await transport.send('orders', { data: 1, id: 'first' })
    await clock.advance(10)
    await transport.send('orders', { data: 2, id: 'second' })
    await clock.advance(60_000)
    expect(events.of('retried').map(({ id }) => id)).toEqual(['first'])
    await close()
  })

  test('begins as soon as the concurrency is raised', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const batches: unknown[][] = []
    const consumer = await transport.consume(
      'orders',
      (messages) => {
        batches.push(messages.map(({ data }) => data))
        return never()
      },
      { batch: { max: 2, waitMs: 1 }, concurrency: 1 },
    )
    await transport.send('orders', { data: 1 })
    await clock.advance(10)
    await transport.send('orders', { data: 2 })
    await clock.advance(10)
    expect(batches).toEqual([[1]])
    consumer.setConcurrency(2)
    expect(batches).toEqual([[1], [2]])
    await close()
  })

  test('with an answer of another length than the batch is retried, since a settlement could be lost', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const seen: number[] = []
    await transport.consume(
      'orders',
      (messages, { contexts }) => {
        seen.push(messages.length)
        return seen.length === 1 ? [contexts[0]?.retry()] : ['anything', 'that', 'is', 'none']
      },
      { batch: { max: 2, waitMs: 1 }, retryDelay: fixed(10) },
    )
    await transport.sendMany('orders', [{ data: 1 }, { data: 2 }])
    await clock.advance(10_000)
    expect(seen).toEqual([2, 2])
    expect(await transport.depth('orders')).toMatchObject({ ready: 0, delayed: 0, inFlight: 0 })
    await close()
  })
})

test('an expired message is not handled on a later attempt, also where its key is held', async () => {
  const { clock, open, close } = createConsumeBench()
  const transport = await open()
  const events = recordEvents(transport)
  const seen: string[] = []
  await transport.consume(
    'orders',
    ({ data }, { attempt }) => {
      seen.push(`${String(data)} ${attempt}`)
      if (data === 'a1') fail()
    },
    { order: 'key', retryDelay: fixed(2_000) },
  )
  await transport.sendMany('orders', [
    { data: 'a1', key: 'a', id: 'order-1', expiresAt: clock.now() + 3_000 },
    { data: 'a2', key: 'a' },
  ])
  await clock.advance(10_000)
  expect(seen).toEqual(['a1 1', 'a1 2', 'a2 1'])
  expect(events.of('expired').map(({ id, attempt }) => [id, attempt])).toEqual([['order-1', 3]])
  await close()
})

test('a handler that changes the bytes it got changes neither the next attempt nor the dead letter', async () => {
  const { clock, open, close } = createConsumeBench()
  const transport = await open()
  const seen: number[][] = []
  await transport.consume<Uint8Array>(
    'orders',
    ({ data }) => {
      seen.push([...data])
      data.fill(9)
      fail()
    },
    { order: 'key', maxAttempts: 2, retryDelay: fixed(1) },
  )
  await transport.send('orders', { data: Uint8Array.of(1, 2), key: 'a' })
  await clock.advance(100)
  expect(seen).toEqual([
    [1, 2],
    [1, 2],
  ])
  const { entries } = await transport.deadLetters('orders').page()
  expect([...(entries[0]?.body ?? [])]).toEqual([1, 2])
  await close()
})
