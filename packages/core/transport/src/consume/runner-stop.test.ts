import { describe, expect, test } from 'vitest'
import { createConsumeBench, createGate, recordEvents } from '../../test/consume-bench.ts'
import { fixed } from './retry-delay.ts'

const never = (): Promise<never> => new Promise(() => {})

describe('stopping', () => {
  test('names handlers that had run out of their time before, and still hang', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const consumer = await transport.consume('orders', never, {
      handlerTimeoutMs: 1_000,
      retryDelay: fixed(600_000),
    })
    await transport.send('orders', { data: 1, id: 'order-1', type: 'order.created' })
    await clock.advance(2_000)
    const stopping = consumer.stop({ deadlineMs: 100 })
    await clock.advance(10_000)
    expect(await stopping).toEqual({
      source: 'orders',
      released: 0,
      unfinished: [{ id: 'order-1', type: 'order.created' }],
    })
    await close()
  })

  test('names handlers that work on what was lost, and waits for them', async () => {
    const { clock, broker, open, close } = createConsumeBench()
    const transport = await open()
    const gate = createGate()
    const consumer = await transport.consume('orders', () => gate.opened)
    await transport.send('orders', { data: 1, id: 'order-1' })
    await clock.advance(10)
    broker.faults.refuse(true)
    broker.faults.cut()
    await clock.advance(10)
    let ended = false
    const stopping = consumer.stop({ deadlineMs: 1_000 }).finally(() => (ended = true))
    await clock.advance(900)
    expect(ended).toBe(false)
    await clock.advance(10_000)
    expect((await stopping).unfinished.map(({ id }) => id)).toEqual(['order-1'])
    broker.faults.refuse(false)
    await close()
  })

  test('gives back, with its attempt, what is held for a retry while the handler before hangs', async () => {
    const { clock, broker, open, close } = createConsumeBench()
    const settled: string[] = []
    const transport = await open({
      wrap: {
        consumer: (consumer) => ({
          settle: (scope, items) => {
            settled.push(...items.map(({ verb }) => verb))
            return consumer.settle(scope, items)
          },
        }),
      },
    })
    const consumer = await transport.consume('orders', never, {
      order: 'key',
      handlerTimeoutMs: 1_000,
      retryDelay: fixed(600_000),
    })
    await transport.send('orders', { data: 1, key: 'a' })
    await clock.advance(2_000)
    const stopping = consumer.stop({ deadlineMs: 0 })
    await clock.advance(10_000)
    await stopping
    expect(settled).toEqual(['hold', 'release'])
    expect(broker.raw.messages('orders').map(({ state, message }) => [state, message.attempt])).toEqual([
      ['ready', 2],
    ])
    await close()
  })

  test('gives back the messages of handlers that are late before it closes', async () => {
    const { clock, open, close } = createConsumeBench()
    const log: string[] = []
    const transport = await open({
      wrap: {
        consumer: (consumer) => ({
          settle: (scope, items) => {
            log.push(...items.map(({ verb, message }) => `${verb} ${message.id}`))
            return consumer.settle(scope, items)
          },
          close: () => {
            log.push('close')
            return consumer.close()
          },
        }),
      },
    })
    const consumer = await transport.consume('orders', never)
    await transport.send('orders', { data: 1, id: 'order-1' })
    await clock.advance(10)
    const stopping = consumer.stop({ deadlineMs: 100 })
    await clock.advance(20_000)
    await stopping
    expect(log).toEqual(['release order-1', 'close'])
    await close()
  })

  test('does not wait for settlements of what was lost while its handler hangs', async () => {
    const { clock, broker, open, close } = createConsumeBench({
      lease: { scope: 'delivery', durationMs: 3_000 },
    })
    const transport = await open()
    const events = recordEvents(transport)
    const consumer = await transport.consume('orders', never)
    await transport.send('orders', { data: 1, expiresAt: clock.now() + 100 })
    await clock.advance(50)
    broker.faults.dropLeases('orders')
    await clock.advance(2_000)
    expect(events.of('leaseLost')).toHaveLength(1)
    const startedAt = clock.now()
    let endedAt = 0
    void consumer.stop({ deadlineMs: 1_000 }).then(() => (endedAt = clock.now()))
    await clock.advance(20_000)
    expect(endedAt - startedAt).toBe(2_000)
    await close()
  })

  test('tells of what it could not settle in time', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open({ wrap: { consumer: () => ({ settle: never }) } })
    const events = recordEvents(transport)
    const consumer = await transport.consume('orders', () => undefined)
    await transport.send('orders', { data: 1, id: 'order-1' })
    await clock.advance(10)
    const stopping = consumer.stop()
    await clock.advance(20_000)
    expect(await stopping).toMatchObject({ unfinished: [] })
    expect(events.of('leaseLost').map(({ id }) => id)).toEqual(['order-1'])
    await close()
  })

  test('begins at once the batch that was being gathered', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const batches: unknown[][] = []
    const consumer = await transport.consume(
      'orders',
      (messages) => batches.push(messages.map(({ data }) => data)),
      {
        batch: { max: 10, waitMs: 600_000 },
      },
    )
    await transport.sendMany('orders', [{ data: 1 }, { data: 2 }])
    await clock.advance(10)
    expect(batches).toEqual([])
    expect(await consumer.stop()).toEqual({ source: 'orders', released: 0, unfinished: [] })
    expect(batches).toEqual([[1, 2]])
    expect(await transport.depth('orders')).toMatchObject({ ready: 0, inFlight: 0 })
    await close()
  })

  test('calls no batch handler for messages that it has given back', async () => {
    const { clock, broker, open, close } = createConsumeBench()
    const transport = await open()
    let calls = 0
    const consumer = await transport.consume(
      'orders',
      () => {
        calls++
        return never()
      },
      { batch: { max: 1, waitMs: 10 }, concurrency: 1, prefetch: 5, use: [delaying(clock)] },
    )
    await transport.sendMany('orders', [{ data: 1 }, { data: 2 }])
    await clock.advance(1_000)
    consumer.setConcurrency(2)
    const stopping = consumer.stop({ deadlineMs: 10 })
    await clock.advance(20_000)
    await stopping
    expect(broker.raw.messages('orders').filter(({ state }) => state === 'ready')).toHaveLength(2)
    await clock.advance(600_000)
    expect(calls).toBe(1)
    await close()
  })

  test('leaves no timer behind, whatever is under way', async () => {
    const bench = createConsumeBench()
    const { clock, broker, open } = bench
    const transport = await open()
    broker.faults.failDeadLetters(1_000)
    await transport.consume('dead', (_, context) => context.deadLetter({ reason: 'no' }))
    await transport.consume(
      'held',
      () => {
        throw new Error('no')
      },
      { order: 'key', retryDelay: fixed(600_000) },
    )
    await transport.consume('late', never, {
      order: 'key',
      handlerTimeoutMs: 1_000,
      retryDelay: fixed(600_000),
    })
    await transport.consume('batch', () => undefined, { batch: { max: 10, waitMs: 600_000 } })
    await transport.consume('hung', never)
    for (const queue of ['dead', 'held', 'late', 'batch', 'hung'])
      await transport.send(queue, { data: 1, key: 'a' })
    await clock.advance(2_000)
    let closed = false
    void transport.close({ deadlineMs: 100 }).then(() => (closed = true))
    await clock.runUntil(() => closed)
    expect(clock.pending).toBe(0)
  })

  test('gives a message back, with its place, that could not be dead-lettered', async () => {
    const { clock, broker, open, close } = createConsumeBench()
    const transport = await open()
    const events = recordEvents(transport)
    broker.faults.failDeadLetters(1_000)
    const consumer = await transport.consume('orders', (_, context) => context.deadLetter({ reason: 'no' }))
    await transport.send('orders', { data: 1 })
    await clock.advance(10)
    const stopping = consumer.stop()
    await clock.advance(20_000)
    await stopping
    expect(broker.raw.messages('orders').map(({ state, message }) => [state, message.attempt])).toEqual([
      ['ready', 1],
    ])
    const failed = events.of('deadLetterFailed').length
    expect(failed).toBeGreaterThan(1)
    await clock.advance(60_000)
    expect(events.of('deadLetterFailed')).toHaveLength(failed)
    expect(events.of('deadLettered')).toEqual([])
    await close()
  })

  test('closes middleware once, in order, and does not wait for ever for one that hangs', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const events = recordEvents(transport)
    const closed: string[] = []
    const consumer = await transport.consume('orders', () => undefined, {
      use: [
        {
          name: 'store',
          phase: 'once',
          wrap: (next, runtime) => {
            runtime.onClose(() => {
              closed.push('first')
              throw new Error('cannot close')
            })
            runtime.onClose(() => {
              closed.push('second')
              return never()
            })
            runtime.onClose(() => void closed.push('third'))
            return next
          },
        },
      ],
    })
    const stopping = consumer.stop()
    await clock.advance(20_000)
    expect(await stopping).toMatchObject({ unfinished: [] })
    expect(await consumer.stop()).toBe(await stopping)
    expect(closed).toEqual(['first', 'second'])
    expect(events.of('callbackFailed')).toHaveLength(1)
    await close()
  })

  test('ends in time though the driver does not let go', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open({ wrap: { consumer: () => ({ close: never }) } })
    const consumer = await transport.consume('orders', () => undefined)
    let ended = false
    void consumer.stop().then(() => (ended = true))
    await clock.advance(20_000)
    expect(ended).toBe(true)
    expect(transport.health().consumers).toEqual([])
    await close()
  })

  test('refuses a deadline that is none', async () => {
    const { open, close } = createConsumeBench()
    const transport = await open()
    const consumer = await transport.consume('orders', () => undefined)
    await expect(consumer.stop({ deadlineMs: -1 })).rejects.toThrow('deadlineMs')
    await expect(consumer.stop({ deadline: 1 } as never)).rejects.toThrow('Did you mean "deadlineMs"?')
    await close()
  })
})

test('a stopping consumer keeps the attempt of a handler that fails, where the broker cannot delay a retry', async () => {
  const { clock, broker, open, close } = createConsumeBench({ delay: false })
  const transport = await open()
  const gate = createGate()
  const seen: [number, number][] = []
  const consumer = await transport.consume(
    'orders',
    async () => {
      await gate.opened
      throw new Error('no')
    },
    { retryDelay: fixed(5_000) },
  )
  await transport.send('orders', { data: 1 })
  await clock.advance(10)
  const stopping = consumer.stop()
  gate.open()
  await clock.advance(10)
  await stopping
  expect(broker.raw.messages('orders').map(({ message }) => message.attempt)).toEqual([2])
  const failedAt = clock.now() - 10
  await transport.consume('orders', (_, { attempt }) => seen.push([attempt, clock.now() - failedAt]))
  await clock.advance(10_000)
  expect(seen).toEqual([[2, 5_000]])
  await close()
})

/** Lets each message arrive at its handler later than the one before. */
function delaying(clock: { setTimer(callback: () => void, delayMs: number): unknown }): {
  name: string
  phase: 'guard'
  wrap: (next: (...args: never[]) => unknown) => never
} {
  let messages = 0
  return {
    name: 'delaying',
    phase: 'guard',
    wrap: (next) =>
      (async (...args: never[]) => {
        await new Promise<void>((resolve) => void clock.setTimer(resolve, 100 * messages++))
        return next(...args)
      }) as never,
  }
}
