import { describe, expect, test } from 'vitest'
import type { DeliverySink } from '../contract/driver.ts'
import { PosthornError } from '../errors.ts'
import { createConsumeBench, createGate, recordEvents } from '../../test/consume-bench.ts'

const gone = (retryable: boolean): PosthornError =>
  new PosthornError('POSTHORN_CONSUMER_ENDED', 'The queue was deleted.', { phase: 'receive', retryable })

describe('an inbox', () => {
  test('keeps its address while nothing comes', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open({ stallMs: 1_000 })
    const answers: unknown[] = []
    const inbox = await transport.inbox(({ data }) => answers.push(data))
    const { address } = inbox
    await clock.advance(60_000)
    expect(inbox.address).toBe(address)
    await close()
  })

  test('says that it was lost when it is set up anew for a stall, and has another address then', async () => {
    const { clock, broker, open, close } = createConsumeBench()
    const transport = await open({
      stallMs: 1_000,
      wrap: { consumer: () => ({ ready: async () => 3 }) },
    })
    const lost: string[] = []
    const inbox = await transport.inbox(() => undefined, { onLost: ({ code }) => lost.push(code) })
    const { address } = inbox
    await clock.advance(3_000)
    expect(lost[0]).toBe('POSTHORN_CONSUMER_ENDED')
    expect(inbox.address).not.toBe(address)
    expect(broker.raw.messages(address)).toEqual([])
    await close()
  })
})

describe('setting up', () => {
  test('ends the consumer of a driver that answers after the stop', async () => {
    const { clock, broker, open, close } = createConsumeBench()
    const gate = createGate()
    let closed = 0
    let late = false
    const transport = await open({
      wrap: {
        connection: (connection) => ({
          consume: async (source, request, sink) => {
            if (late) await gate.opened
            const consumer = await connection.consume(source, request, sink)
            return {
              flow: consumer.flow,
              window: consumer.window.bind(consumer),
              settle: consumer.settle.bind(consumer),
              renew: consumer.renew.bind(consumer),
              ready: consumer.ready.bind(consumer),
              close: () => {
                closed++
                return consumer.close()
              },
            }
          },
        }),
      },
    })
    const consumer = await transport.consume('orders', () => undefined)
    await clock.advance(10)
    late = true
    broker.faults.endConsumers('orders')
    await clock.advance(1_000)
    const stopping = consumer.stop()
    await clock.advance(10)
    await stopping
    gate.open()
    await clock.advance(10)
    expect(closed).toBe(1)
    await close()
  })

  test('rejects, and does not begin again, when its transport closes meanwhile', async () => {
    const { clock, open, close } = createConsumeBench()
    const [gate, busy] = [createGate(), createGate()]
    const consumed: string[] = []
    const transport = await open({
      wrap: {
        connection: (connection) => ({
          consume: async (source, request, sink) => {
            const { name } = source as { readonly name: string }
            consumed.push(name)
            if (name === 'late') await gate.opened
            return connection.consume(source, request, sink)
          },
        }),
      },
    })
    await transport.consume('busy', () => busy.opened)
    await transport.send('busy', { data: 1 })
    await clock.advance(10)
    const refused = transport.consume('late', () => undefined).catch((error: unknown) => error)
    await clock.advance(10)
    const closing = transport.close({ deadlineMs: 10_000 })
    await clock.advance(10)
    gate.open()
    await clock.advance(10)
    expect(await refused).toMatchObject({ code: 'POSTHORN_CLOSED' })
    expect(consumed).toEqual(['busy', 'late'])
    busy.open()
    await clock.advance(10)
    expect(await closing).toMatchObject({ clean: true })
    await close()
  })

  test('rejects with what the broker says, and leaves no consumer behind', async () => {
    const { open, close } = createConsumeBench()
    const refusal = new PosthornError('POSTHORN_ACCESS_DENIED', 'Reading "orders" is not allowed.', {
      phase: 'declare',
    })
    const transport = await open({ wrap: { connection: () => ({ consume: () => Promise.reject(refusal) }) } })
    await expect(transport.consume('orders', () => undefined)).rejects.toBe(refusal)
    expect(transport.health().consumers).toEqual([])
    await close()
  })

  test('ends with the transport when each connection is lost under it', async () => {
    const { clock, broker, open, close } = createConsumeBench()
    const transport = await open({
      name: 'one',
      wrap: {
        connection: (connection) => ({
          consume: async (...args) => {
            broker.faults.cut('one')
            return connection.consume(...args)
          },
        }),
      },
    })
    const refused = transport.consume('orders', () => undefined).catch((error: unknown) => error)
    await clock.advance(3_000)
    await close()
    expect(await refused).toMatchObject({ code: 'POSTHORN_CLOSED' })
  })

  test('that fails because the connection is about to end, goes on with the next one', async () => {
    const { clock, broker, open, close } = createConsumeBench()
    let failures = 1
    const transport = await open({
      name: 'one',
      wrap: {
        connection: (connection) => ({
          consume: (...args) => {
            if (failures-- <= 0) return connection.consume(...args)
            clock.defer(() => broker.faults.cut('one'))
            return Promise.reject(new Error('The channel is closed.'))
          },
        }),
      },
    })
    let resolved = false
    void transport.consume('orders', () => undefined).then(() => (resolved = true))
    await clock.runUntil(() => resolved)
    expect(transport.health().consumers.map(({ state }) => state)).toEqual(['up'])
    await close()
  })

  test('resolves only when it reads, whichever connection that is on', async () => {
    const { clock, broker, open, close } = createConsumeBench()
    let cuts = 2
    const transport = await open({
      name: 'one',
      wrap: {
        connection: (connection) => ({
          consume: async (...args) => {
            if (cuts-- > 0) broker.faults.cut('one')
            return connection.consume(...args)
          },
        }),
      },
    })
    const seen: unknown[] = []
    const consuming = transport.subscribe('events', ({ data }) => seen.push(data), { group: 'billing' })
    let resolved = false
    void consuming.then(() => (resolved = true))
    await clock.runUntil(() => resolved)
    expect(transport.health().consumers.map(({ state }) => state)).toEqual(['up'])
    await transport.publish('events', { data: 1 })
    await clock.advance(10)
    expect(seen).toEqual([1])
    await close()
  })
})

describe('a consumer that the broker ends', () => {
  test('again and again is set up with growing waits', async () => {
    const { clock, open, close } = createConsumeBench()
    let starts = 0
    const transport = await open({
      wrap: {
        connection: (connection) => ({
          consume: async (source, request, sink) => {
            starts++
            clock.setTimer(() => sink.ended(gone(true)), 10)
            return connection.consume(source, request, sink)
          },
        }),
      },
    })
    await transport.consume('orders', () => undefined)
    await clock.advance(600_000)
    // Waits of up to half a minute; without backing off it would be thousands.
    expect(starts).toBeGreaterThan(15)
    expect(starts).toBeLessThan(100)
    await close()
  })

  test('now and then is set up without waiting for long', async () => {
    const { clock, open, close } = createConsumeBench()
    let starts = 0
    const transport = await open({
      wrap: {
        connection: (connection) => ({
          consume: async (source, request, sink) => {
            starts++
            clock.setTimer(() => sink.ended(gone(true)), 70_000)
            return connection.consume(source, request, sink)
          },
        }),
      },
    })
    await transport.consume('orders', () => undefined)
    await clock.advance(70_000 * 40)
    expect(starts).toBe(40)
    await close()
  })

  test('for good is down, and says why', async () => {
    const { clock, open, close } = createConsumeBench()
    let sink: DeliverySink | undefined
    const transport = await open({
      wrap: {
        connection: (connection) => ({
          consume: (source, request, given) => {
            sink = given
            return connection.consume(source, request, given)
          },
        }),
      },
    })
    const events = recordEvents(transport)
    const consumer = await transport.consume('orders', () => undefined)
    await clock.advance(10)
    sink?.ended(gone(false))
    await clock.advance(600_000)
    expect(consumer.health()).toMatchObject({ state: 'down', reason: 'The queue was deleted.' })
    expect(transport.health()).toMatchObject({ state: 'down', reason: 'orders: The queue was deleted.' })
    expect(events.of('rebuilt')).toEqual([])
    await close()
  })
})

describe('a stall', () => {
  test('is not one where a handler took its time, nor right after a pause', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open({
      stallMs: 4_000,
      wrap: { consumer: () => ({ ready: async () => 5 }) },
    })
    const events = recordEvents(transport)
    const gate = createGate()
    const consumer = await transport.consume('orders', () => gate.opened, { concurrency: 1 })
    await transport.send('orders', { data: 1 })
    await clock.advance(60_000)
    gate.open()
    await clock.advance(2_000)
    expect(events.of('stalled')).toEqual([])
    consumer.pause()
    await clock.advance(60_000)
    consumer.resume()
    await clock.advance(3_000)
    expect(events.of('stalled')).toEqual([])
    await clock.advance(4_000)
    expect(events.of('stalled')).toHaveLength(1)
    await close()
  })

  test('is not one where what waits belongs to another consumer', async () => {
    const { clock, open, close } = createConsumeBench({ shards: 2, lease: { scope: 'session' } })
    const transports = [await open({ stallMs: 4_000 }), await open({ stallMs: 4_000 })]
    const events = transports.map(recordEvents)
    const gate = createGate()
    for (const transport of transports)
      await transport.consume('orders', () => gate.opened, { concurrency: 1, order: 'key' })
    for (let data = 0; data < 10; data += 1) await transports[0]!.send('orders', { data, key: 'customer-1' })
    await clock.advance(60_000)
    expect((await transports[0]!.depth('orders')).ready).toBeGreaterThan(0)
    expect(events.flatMap((one) => one.of('stalled'))).toEqual([])
    gate.open()
    await close()
  })

  test('is noticed though the broker does not answer how much there is, at the next look', async () => {
    const { clock, open, close } = createConsumeBench()
    let asked = 0
    const ready = (): Promise<number> => (asked++ === 0 ? new Promise(() => {}) : Promise.resolve(5))
    const transport = await open({ stallMs: 4_000, wrap: { consumer: () => ({ ready }) } })
    const events = recordEvents(transport)
    await transport.consume('orders', () => undefined)
    await clock.advance(20_000)
    expect(asked).toBeGreaterThan(1)
    expect(events.of('stalled').length).toBeGreaterThan(0)
    await close()
  })

  test('sets up anew though the stalled consumer does not close', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open({
      stallMs: 4_000,
      wrap: {
        consumer: () => ({ ready: async () => 5, close: () => new Promise(() => {}) }),
      },
    })
    const events = recordEvents(transport)
    await transport.consume('orders', () => undefined)
    await clock.advance(20_000)
    expect(events.of('rebuilt').length).toBeGreaterThan(0)
    await close()
  })
})

test('a consumer takes no concurrency that is none', async () => {
  const { open, close } = createConsumeBench()
  const transport = await open()
  const consumer = await transport.consume('orders', () => undefined)
  for (const concurrency of [0, 1.5, Number.NaN, '3' as never, 100_001]) {
    expect(() => consumer.setConcurrency(concurrency)).toThrow('takes a whole number from 1, and got')
  }
  await close()
})
