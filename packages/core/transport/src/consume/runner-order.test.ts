import { describe, expect, test } from 'vitest'
import { fixed } from './retry-delay.ts'
import { createConsumeBench, createGate, recordEvents } from '../../test/consume-bench.ts'
import type { DriverConsumer, SettleItem } from '../contract/driver.ts'

const keyed = (...names: readonly string[]): { data: string; key: string }[] =>
  names.map((data) => ({ data, key: data.slice(0, 1) }))

describe('a consumer with order by key', () => {
  test('keeps a key for the retry of a handler that ended after its time', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const seen: string[] = []
    await transport.consume(
      'orders',
      async ({ data }, { attempt }) => {
        seen.push(`${String(data)} ${attempt}`)
        if (data === 'a1' && attempt === 1)
          await new Promise<void>((resolve) => clock.setTimer(resolve, 2_000))
      },
      { order: 'key', prefetch: 20, handlerTimeoutMs: 1_000, retryDelay: fixed(5_000) },
    )
    await transport.sendMany('orders', keyed('a1', 'a2'))
    await clock.advance(3_000)
    expect(seen).toEqual(['a1 1'])
    await clock.advance(4_000)
    expect(seen).toEqual(['a1 1', 'a1 2', 'a2 1'])
    await close()
  })

  test('starts no later message of a key whose retry could not be recorded, since it is not ours any more', async () => {
    const { clock, open, close } = createConsumeBench()
    let isLost = false
    const settle =
      (consumer: DriverConsumer): DriverConsumer['settle'] =>
      async (scope, items) => {
        isLost ||= items.some(({ verb }) => verb === 'hold')
        return isLost ? items.map(() => 'lost') : consumer.settle(scope, items)
      }
    const transport = await open({ wrap: { consumer: (consumer) => ({ settle: settle(consumer) }) } })
    const seen: unknown[] = []
    await transport.consume(
      'orders',
      ({ data }) => {
        seen.push(data)
        if (data === 'a1') throw new Error('again')
      },
      { order: 'key', prefetch: 20, retryDelay: fixed(5_000) },
    )
    await transport.sendMany('orders', keyed('a1', 'a2', 'a3', 'b1'))
    await clock.advance(1_000)
    expect(seen).toEqual(['a1', 'b1'])
    await close()
  })

  test('keeps a key until a handler that ran out of its time has ended, also when its message is gone by then', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const gate = createGate()
    const seen: unknown[] = []
    await transport.consume(
      'orders',
      async ({ data }) => {
        seen.push(data)
        if (data === 'a1') await gate.opened
      },
      { order: 'key', prefetch: 20, handlerTimeoutMs: 1_000, maxAttempts: 1 },
    )
    await transport.sendMany('orders', keyed('a1', 'a2'))
    await clock.advance(10_000)
    expect(await transport.deadLetters('orders').count()).toBe(1)
    expect(seen).toEqual(['a1'])
    gate.open()
    await clock.advance(10)
    expect(seen).toEqual(['a1', 'a2'])
    await close()
  })

  test('gives back what it holds for a retry when the late handler ends while it is paused', async () => {
    const { clock, broker, open, close } = createConsumeBench()
    const transport = await open()
    const gate = createGate()
    const consumer = await transport.consume('orders', () => gate.opened, {
      order: 'key',
      handlerTimeoutMs: 1_000,
      retryDelay: fixed(600_000),
    })
    await transport.sendMany('orders', keyed('a1'))
    await clock.advance(2_000)
    consumer.pause()
    await clock.advance(10)
    gate.open()
    await clock.advance(10)
    expect(consumer.health()).toMatchObject({ running: 0, waiting: 0 })
    expect(broker.raw.messages('orders').map(({ state, message }) => [state, message.attempt])).toEqual([
      ['ready', 2],
    ])
    await close()
  })

  test('goes on with a key when what waited behind a handler was given back as that ended', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const gate = createGate()
    const seen: unknown[] = []
    const consumer = await transport.consume(
      'orders',
      async ({ data }) => {
        seen.push(data)
        if (data === 'a1') await gate.opened
      },
      { order: 'key', prefetch: 20 },
    )
    await transport.sendMany('orders', keyed('a1', 'a2'))
    await clock.advance(10)
    consumer.pause()
    gate.open()
    await clock.advance(10)
    consumer.resume()
    await clock.advance(10)
    expect(seen).toEqual(['a1', 'a2'])
    await close()
  })

  test('hands out nothing of a key before what is going back, though it is resumed at once', async () => {
    const { clock, broker, open, close } = createConsumeBench()
    const transport = await open()
    const seen: string[] = []
    const consumer = await transport.consume(
      'orders',
      ({ data }, context) => {
        seen.push(String(data))
        return data === 'a1' && seen.length === 1 ? context.release({ delayMs: 1_000 }) : undefined
      },
      { order: 'key', concurrency: 2 },
    )
    await transport.sendMany('orders', keyed('a1'))
    await clock.advance(10)
    broker.faults.failSettlements(1)
    consumer.pause()
    consumer.resume()
    await transport.sendMany('orders', keyed('a2'))
    await clock.advance(5_000)
    expect(seen).toEqual(['a1', 'a1', 'a2'])
    await close()
  })

  test('keeps the order and the attempt of a key whose handler fails while it stops', async () => {
    const { clock, open, close } = createConsumeBench()
    const [first, second] = [await open(), await open()]
    const gate = createGate()
    const seen: string[] = []
    const options = { order: 'key', prefetch: 20, retryDelay: fixed(5_000) } as const
    const consumer = await first.consume(
      'orders',
      async () => {
        await gate.opened
        throw new Error('no')
      },
      options,
    )
    await first.sendMany('orders', keyed('a1', 'a2', 'a3'))
    await clock.advance(10)
    const stopping = consumer.stop()
    await second.consume(
      'orders',
      ({ data }, { attempt }) => seen.push(`${String(data)} ${attempt}`),
      options,
    )
    await clock.advance(100)
    gate.open()
    await clock.advance(10)
    expect(await stopping).toMatchObject({ unfinished: [] })
    await clock.advance(4_000)
    expect(seen).toEqual([])
    await clock.advance(2_000)
    expect(seen).toEqual(['a1 2', 'a2 1', 'a3 1'])
    await close()
  })

  test('gives back what waits behind a message that is released in place, where a retry would be overtaken', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const gate = createGate()
    const seen: string[] = []
    await transport.consume(
      'orders',
      async ({ data }, context) => {
        seen.push(String(data))
        if (seen.length > 1) return undefined
        await gate.opened
        return context.release()
      },
      { order: 'key', whileRetrying: 'overtake', prefetch: 20 },
    )
    await transport.sendMany('orders', keyed('a1', 'a2', 'a3'))
    await clock.advance(100)
    gate.open()
    await clock.advance(100)
    expect(seen).toEqual(['a1', 'a1', 'a2', 'a3'])
    await close()
  })

  test('waits with a key while the handler of a lost connection still runs', async () => {
    const { clock, broker, open, close } = createConsumeBench()
    const transport = await open()
    const gate = createGate()
    const seen: string[] = []
    let running = 0
    let most = 0
    await transport.consume(
      'orders',
      async ({ data }) => {
        seen.push(String(data))
        most = Math.max(most, ++running)
        if (seen.length === 1) await gate.opened
        running--
      },
      { order: 'key', prefetch: 20 },
    )
    await transport.sendMany('orders', keyed('a1', 'a2'))
    await clock.advance(10)
    broker.faults.cut()
    await clock.advance(5_000)
    expect(seen).toEqual(['a1'])
    gate.open()
    await clock.advance(10)
    expect(seen).toEqual(['a1', 'a1', 'a2'])
    expect(most).toBe(1)
    await close()
  })

  test('lets a suspect wait for the message of its key that is held before it', async () => {
    const { clock, broker, open, crashOn, close } = createConsumeBench()
    const transport = await open()
    await transport.send('orders', { data: 'a2', key: 'a' })
    await crashOn('orders', 2)
    // What is put in front of it: a message that was handed out less often.
    const seen: string[] = []
    const events = recordEvents(transport)
    broker.faults.stall('orders', true)
    await transport.send('orders', { data: 'a1', key: 'a', priority: 9 })
    broker.faults.stall('orders', false)
    await transport.consume(
      'orders',
      ({ data }, { attempt }) => {
        seen.push(`${String(data)} ${attempt}`)
        if (data === 'a1' && attempt === 1) throw new Error('again')
      },
      { order: 'key', prefetch: 20, retryDelay: fixed(2_000) },
    )
    await clock.advance(1_000)
    expect(seen).toEqual(['a1 1'])
    await clock.advance(2_000)
    expect(seen).toEqual(['a1 1', 'a1 2', 'a2 1'])
    expect(events.of('suspect')).toHaveLength(1)
    await close()
  })

  test('holds the key of a suspect that fails', async () => {
    const { clock, open, crashOn, close } = createConsumeBench()
    const transport = await open()
    await transport.sendMany('orders', keyed('a1'))
    await crashOn('orders', 2)
    await transport.sendMany('orders', keyed('a2'))
    const seen: string[] = []
    await transport.consume(
      'orders',
      ({ data }, { attempt }) => {
        seen.push(`${String(data)} ${attempt}`)
        if (data === 'a1' && attempt === 1) throw new Error('again')
      },
      { order: 'key', prefetch: 20, retryDelay: fixed(2_000) },
    )
    await clock.advance(5_000)
    expect(seen).toEqual(['a1 1', 'a1 2', 'a2 1'])
    await close()
  })
})

describe('what is recorded while a key is held', () => {
  /** Settles nothing before it is told to. */
  function slowSettling(): {
    wrap: (consumer: DriverConsumer) => Partial<DriverConsumer>
    calls: string[][]
    open: () => void
  } {
    const gate = createGate()
    const calls: string[][] = []
    return {
      calls,
      open: gate.open,
      wrap: (consumer) => ({
        settle: async (scope, items: readonly SettleItem[]) => {
          calls.push(items.map(({ verb, message }) => `${verb} ${message.attempt}`))
          await gate.opened
          return consumer.settle(scope, items)
        },
      }),
    }
  }

  test('is answered before the next settlement of the same delivery, which may have another token then', async () => {
    const { clock, open, close } = createConsumeBench()
    const slow = slowSettling()
    const transport = await open({ wrap: { consumer: slow.wrap } })
    const attempts: number[] = []
    await transport.consume(
      'orders',
      (_, { attempt }) => {
        attempts.push(attempt)
        if (attempt < 3) throw new Error('again')
      },
      { order: 'key', retryDelay: fixed(100) },
    )
    await transport.sendMany('orders', keyed('a1'))
    await clock.advance(1_000)
    expect(attempts).toEqual([1, 2, 3])
    expect(slow.calls).toEqual([['hold 2']])
    slow.open()
    await clock.advance(10)
    expect(slow.calls).toEqual([['hold 2'], ['ack 3']])
    expect(await transport.depth('orders')).toMatchObject({ ready: 0, inFlight: 0 })
    await close()
  })

  test('is there before the delivery goes back in place', async () => {
    const { clock, open, close } = createConsumeBench()
    const slow = slowSettling()
    const transport = await open({ wrap: { consumer: slow.wrap } })
    const consumer = await transport.consume(
      'orders',
      () => {
        throw new Error('no')
      },
      { order: 'key', retryDelay: fixed(60_000) },
    )
    await transport.sendMany('orders', keyed('a1'))
    await clock.advance(10)
    const stopping = consumer.stop()
    await clock.advance(10)
    expect(slow.calls).toEqual([['hold 2']])
    slow.open()
    await clock.advance(10)
    expect(slow.calls).toEqual([['hold 2'], ['release 2']])
    expect(await stopping).toMatchObject({ released: 1, unfinished: [] })
    await close()
  })

  test('is recorded before it goes back, though that had failed, where a release cannot change a message', async () => {
    const { clock, broker, open, close } = createConsumeBench({ release: 'counted' })
    const transport = await open()
    const seen: [number, number][] = []
    const consumer = await transport.consume(
      'orders',
      (_, { attempt }) => {
        seen.push([attempt, clock.now()])
        if (attempt === 1) throw new Error('no')
      },
      { order: 'key', retryDelay: fixed(5_000) },
    )
    broker.faults.failSettlements(1)
    await transport.sendMany('orders', keyed('a1'))
    await clock.advance(10)
    consumer.pause()
    await clock.advance(1_000)
    consumer.resume()
    await clock.advance(10_000)
    expect(seen.map(([attempt]) => attempt)).toEqual([1, 2])
    expect((seen[1]?.[1] ?? 0) - (seen[0]?.[1] ?? 0)).toBe(5_000)
    await close()
  })

  test('is not replaced by an older state that failed to be recorded before', async () => {
    const { clock, broker, open, close } = createConsumeBench()
    const transport = await open()
    const seen: number[] = []
    await transport.consume(
      'orders',
      (_, { attempt }) => {
        seen.push(attempt)
        throw new Error('no')
      },
      { order: 'key', maxAttempts: 10, retryDelay: (attempt) => (attempt === 1 ? 10 : 60_000) },
    )
    broker.faults.failSettlements(1)
    await transport.sendMany('orders', keyed('a1'))
    await clock.advance(1_000)
    expect(seen).toEqual([1, 2])
    expect(broker.raw.messages('orders').map(({ message }) => message.attempt)).toEqual([3])
    await close()
  })
})
