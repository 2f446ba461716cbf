import { describe, expect, test } from 'vitest'
import type { CapabilityLevel } from '../contract/capabilities.ts'
import type { MiddlewareRuntime } from '../contract/middleware.ts'
import type { Transport } from '../contract/transport.ts'
import {
  createConsumeBench,
  createGate,
  recordEvents,
  type ConsumeBench,
  type DriverWrap,
} from '../../test/consume-bench.ts'
import { fixed } from './retry-delay.ts'

const never = (): Promise<never> => new Promise(() => {})

/** A broker whose count of hand-outs says so much. */
const counting = (level: CapabilityLevel): DriverWrap => ({
  connection: ({ capabilities }) => ({
    capabilities: { ...capabilities, features: { ...capabilities.features, deliveryCount: { level } } },
  }),
})

interface SlowBench extends ConsumeBench {
  readonly transport: Transport
  readonly gate: ReturnType<typeof createGate>
  /** What else `invoices` brings. */
  readonly seen: unknown[]
}

/** A suspect waits in `orders`, beside a handler of `invoices` that lasts until its gate is open. */
async function besideSlowHandler(options: Parameters<typeof createConsumeBench>[0] = {}): Promise<SlowBench> {
  const bench = createConsumeBench(options)
  const transport = await bench.open()
  const gate = createGate()
  const seen: unknown[] = []
  await transport.consume('invoices', ({ data }) => (data === 'slow' ? gate.opened : seen.push(data)))
  await transport.send('invoices', { data: 'slow' })
  await transport.send('orders', { data: 'suspect' })
  await bench.crashOn('orders', 2)
  return { ...bench, transport, gate, seen }
}

describe('a message suspected of ending its process', () => {
  test('runs with nothing else in the process, and then the others go on', async () => {
    const { clock, open, crashOn, close } = createConsumeBench()
    const transport = await open()
    await transport.send('orders', { data: 'suspect' })
    await crashOn('orders', 2)
    const gates = { neighbour: createGate(), suspect: createGate() }
    const running = new Set<unknown>()
    const seen: unknown[] = []
    let beside: unknown[] = []
    const handle = async ({ data }: { readonly data: unknown }): Promise<void> => {
      running.add(data)
      seen.push(data)
      if (data === 'suspect') {
        beside = [...running]
        await gates.suspect.opened
      }
      if (data === 'neighbour') await gates.neighbour.opened
      running.delete(data)
    }
    const events = recordEvents(transport)
    await transport.consume('invoices', handle)
    await transport.send('invoices', { data: 'neighbour' })
    await clock.advance(10)
    await transport.consume('orders', handle)
    await clock.advance(10)
    await transport.send('invoices', { data: 'later neighbour' })
    await transport.send('orders', { data: 'later' })
    await clock.advance(10)
    expect(seen).toEqual(['neighbour'])
    gates.neighbour.open()
    await clock.advance(10)
    expect(seen).toEqual(['neighbour', 'suspect'])
    expect(beside).toEqual(['suspect'])
    gates.suspect.open()
    await clock.advance(10)
    expect(new Set(seen)).toEqual(new Set(['neighbour', 'suspect', 'later neighbour', 'later']))
    expect(events.of('suspect').map(({ source, deliveries }) => [source, deliveries])).toEqual([
      ['orders', 3],
    ])
    // Making way is no pause that anybody asked for.
    expect([...events.of('paused'), ...events.of('resumed')]).toEqual([])
    await close()
  })

  test('is handled after its consumer was paused and resumed while it waited', async () => {
    const { clock, open, crashOn, close } = createConsumeBench()
    const transport = await open()
    const gate = createGate()
    const seen: unknown[] = []
    await transport.consume('invoices', () => gate.opened)
    await transport.send('invoices', { data: 1 })
    await transport.send('orders', { data: 'suspect' })
    await crashOn('orders', 2)
    const consumer = await transport.consume('orders', ({ data }) => seen.push(data))
    await clock.advance(10)
    consumer.pause()
    await clock.advance(10)
    consumer.resume()
    await clock.advance(10)
    gate.open()
    await clock.advance(10)
    await transport.send('orders', { data: 'next' })
    await clock.advance(10)
    expect(seen).toEqual(['suspect', 'next'])
    await close()
  })

  test('and another one in another consumer both get their turn, and both consumers go on', async () => {
    const { clock, open, crashOn, close } = createConsumeBench()
    const transport = await open()
    for (const queue of ['orders', 'invoices']) {
      await transport.send(queue, { data: `${queue} suspect` })
      await crashOn(queue, 2)
    }
    const seen: unknown[] = []
    let running = 0
    let most = 0
    const handle = async ({ data }: { readonly data: unknown }): Promise<void> => {
      most = Math.max(most, ++running)
      seen.push(data)
      await new Promise<void>((resolve) => clock.setTimer(resolve, 100))
      running--
    }
    await transport.consume('orders', handle)
    await transport.consume('invoices', handle)
    await clock.advance(1_000)
    expect(seen).toHaveLength(2)
    expect(most).toBe(1)
    for (const queue of ['orders', 'invoices']) await transport.send(queue, { data: `${queue} next` })
    await clock.advance(1_000)
    expect(new Set(seen)).toEqual(
      new Set(['orders suspect', 'invoices suspect', 'orders next', 'invoices next']),
    )
    await close()
  })

  test('keeps its delivery while a neighbour works for longer than half of a lease', async () => {
    const { clock, open, crashOn, close } = createConsumeBench({
      lease: { scope: 'delivery', durationMs: 1_000 },
    })
    const transport = await open()
    const gate = createGate()
    const events = recordEvents(transport)
    const seen: number[] = []
    await transport.consume('invoices', () => gate.opened)
    await transport.send('invoices', { data: 1 })
    await transport.send('orders', { data: 'suspect' })
    await crashOn('orders', 2)
    await transport.consume('orders', (_, { deliveries }) => seen.push(deliveries))
    await clock.advance(20_000)
    gate.open()
    await clock.advance(10)
    expect(seen).toEqual([3])
    expect(events.of('suspect')).toHaveLength(1)
    await close()
  })

  test('is given back at half of a hold that cannot be renewed, and its neighbours go on', async () => {
    const { clock, transport, gate, seen, close } = await besideSlowHandler({
      lease: { scope: 'session', maxHoldMs: 10_000 },
    })
    await transport.consume('orders', ({ data }) => seen.push(data))
    await clock.advance(10)
    await transport.send('invoices', { data: 'quick' })
    await clock.advance(4_000)
    expect(seen).toEqual([])
    await clock.advance(1_000)
    gate.open()
    await clock.advance(10)
    expect(new Set(seen)).toEqual(new Set(['quick', 'suspect']))
    await close()
  })

  test('does not wait for handlers that hang and were given up', async () => {
    const { clock, open, crashOn, close } = createConsumeBench()
    const transport = await open()
    await transport.consume('invoices', never, { handlerTimeoutMs: 1_000, retryDelay: fixed(600_000) })
    await transport.send('invoices', { data: 1 })
    await clock.advance(2_000)
    await transport.send('orders', { data: 'suspect' })
    await crashOn('orders', 2)
    const seen: unknown[] = []
    await transport.consume('orders', ({ data }) => seen.push(data))
    await clock.advance(10)
    expect(seen).toEqual(['suspect'])
    await close()
  })

  test('lets the others go on when its own handler has run out of its time', async () => {
    const { clock, open, crashOn, close } = createConsumeBench()
    const transport = await open()
    const seen: unknown[] = []
    await transport.consume('invoices', ({ data }) => seen.push(data))
    await transport.send('orders', { data: 'suspect' })
    await crashOn('orders', 2)
    await transport.consume('orders', ({ data }) => (data === 'suspect' ? never() : seen.push(data)), {
      handlerTimeoutMs: 1_000,
      retryDelay: fixed(600_000),
    })
    await clock.advance(10)
    await transport.send('invoices', { data: 'neighbour' })
    await transport.send('orders', { data: 'next' })
    await clock.advance(500)
    expect(seen).toEqual([])
    await clock.advance(1_000)
    expect(new Set(seen)).toEqual(new Set(['neighbour', 'next']))
    await close()
  })

  test('lets the others go on when its lease is lost while its handler hangs', async () => {
    const { clock, broker, open, crashOn, close } = createConsumeBench({ lease: { scope: 'session' } })
    const transport = await open()
    const seen: unknown[] = []
    await transport.consume('invoices', ({ data }) => seen.push(data))
    await transport.send('orders', { data: 'suspect', expiresAt: clock.now() + 60_000 })
    await crashOn('orders', 2)
    await transport.consume('orders', never, { handlerTimeoutMs: 30_000 })
    await clock.advance(10)
    broker.faults.dropLeases('orders')
    await transport.send('invoices', { data: 'neighbour' })
    await clock.advance(10)
    expect(seen).toEqual([])
    await clock.advance(120_000)
    expect(seen).toEqual(['neighbour'])
    await close()
  })

  test('is not handled while its type is paused, and blocks nothing meanwhile', async () => {
    const { clock, open, crashOn, close } = createConsumeBench()
    const transport = await open()
    await transport.send('orders', { data: 'suspect', type: 'fragile' })
    await crashOn('orders', 2)
    const seen: unknown[] = []
    const pauses: (() => void)[] = []
    const consumer = await transport.consume('orders', ({ data }) => seen.push(data), {
      use: [
        {
          name: 'breaker',
          phase: 'guard',
          wrap: (next, runtime) => {
            runtime.pause(['fragile'])
            pauses.push(() => runtime.resume(['fragile']))
            return next
          },
        },
      ],
    })
    await transport.send('orders', { data: 'other', type: 'sturdy' })
    await clock.advance(5_000)
    expect(seen).toEqual(['other'])
    pauses[0]?.()
    await clock.advance(120_000)
    expect(seen).toEqual(['other', 'suspect'])
    await consumer.stop()
    await close()
  })

  test('keeps nothing else back while it waits for its time', async () => {
    const { clock, broker, open, crashOn, close } = createConsumeBench()
    const options = { order: 'key', retryDelay: fixed(600_000) } as const
    const failing = await open({ name: 'failing' })
    await failing.send('orders', { data: 'suspect', key: 'a' })
    await failing.consume(
      'orders',
      () => {
        throw new Error('no')
      },
      options,
    )
    await clock.advance(10)
    broker.faults.crash('failing')
    await crashOn('orders', 4)
    const transport = await open()
    const gate = createGate()
    const seen: unknown[] = []
    await transport.consume(
      'orders',
      ({ data }) => {
        seen.push(data)
        return gate.opened
      },
      options,
    )
    await transport.sendMany(
      'orders',
      [1, 2, 3].map((data) => ({ data })),
    )
    await clock.advance(1_000)
    expect(seen).toEqual([1, 2, 3])
    gate.open()
    await clock.advance(600_000)
    expect(seen).toEqual([1, 2, 3, 'suspect'])
    await close()
  })

  test('waits for the handlers of its own consumer, too', async () => {
    const { clock, open, crashOn, close } = createConsumeBench()
    const transport = await open()
    await transport.send('orders', { data: 'suspect' })
    await crashOn('orders', 2)
    const gate = createGate()
    const seen: unknown[] = []
    await transport.send('orders', { data: 'first', priority: 9 })
    await transport.consume('orders', async ({ data }) => {
      seen.push(data)
      if (data === 'first') await gate.opened
    })
    await clock.advance(1_000)
    expect(seen).toEqual(['first'])
    gate.open()
    await clock.advance(10)
    expect(seen).toEqual(['first', 'suspect'])
    await close()
  })

  test('is handled on the next connection when it was lost while it waited', async () => {
    const { clock, broker, open, crashOn, close } = createConsumeBench()
    const transport = await open({ name: 'one' })
    await transport.send('orders', { data: 'suspect' })
    await crashOn('orders', 2)
    const gate = createGate()
    const seen: unknown[] = []
    await transport.consume('invoices', () => gate.opened)
    await transport.send('invoices', { data: 1 })
    await clock.advance(10)
    await transport.consume('orders', ({ data }) => seen.push(data))
    await clock.advance(10)
    broker.faults.cut('one')
    gate.open()
    await clock.advance(5_000)
    await transport.send('orders', { data: 'next' })
    await clock.advance(10)
    expect(seen).toEqual(['suspect', 'next'])
    await close()
  })

  test('goes back when nothing may start any more, so that its neighbours need not wait for that', async () => {
    const { clock, transport, gate, seen, close } = await besideSlowHandler()
    let allow: MiddlewareRuntime['allow'] = () => undefined
    await transport.consume('orders', ({ data }) => seen.push(data), {
      use: [
        {
          name: 'limit',
          phase: 'guard',
          wrap: (next, runtime) => {
            allow = (starts) => runtime.allow(starts)
            return next
          },
        },
      ],
    })
    await clock.advance(10)
    await transport.send('invoices', { data: 'quick' })
    await clock.advance(10)
    expect(seen).toEqual([])
    allow(0)
    await clock.advance(10)
    expect(seen).toEqual(['quick'])
    gate.open()
    allow(Infinity)
    await clock.advance(10)
    expect(seen).toEqual(['quick', 'suspect'])
    await close()
  })

  test('goes back when its consumer stops while it waits, and the others go on', async () => {
    const { clock, broker, transport, gate, seen, close } = await besideSlowHandler()
    const consumer = await transport.consume('orders', ({ data }) => seen.push(data))
    await clock.advance(10)
    await transport.send('invoices', { data: 'quick' })
    await clock.advance(10)
    const stopping = consumer.stop()
    await clock.advance(10)
    expect(await stopping).toMatchObject({ released: 1, unfinished: [] })
    expect(seen).toEqual(['quick'])
    expect(broker.raw.messages('orders').map(({ state }) => state)).toEqual(['ready'])
    gate.open()
    await close()
  })

  test('does not keep the process when its consumer stops while it hangs', async () => {
    const { clock, open, crashOn, close } = createConsumeBench()
    const transport = await open()
    const seen: unknown[] = []
    await transport.consume('invoices', ({ data }) => seen.push(data))
    await transport.send('orders', { data: 'suspect', id: 'order-1' })
    await crashOn('orders', 2)
    const consumer = await transport.consume('orders', never)
    await clock.advance(10)
    await transport.send('invoices', { data: 'neighbour' })
    const stopping = consumer.stop({ deadlineMs: 100 })
    await clock.advance(10_000)
    expect((await stopping).unfinished.map(({ id }) => id)).toEqual(['order-1'])
    expect(seen).toEqual(['neighbour'])
    await close()
  })

  test('is handled by its consumer though its scope was taken while it waited', async () => {
    const { clock, broker, open, crashOn, close } = createConsumeBench({ shards: 1 })
    const transport = await open()
    const gate = createGate()
    const seen: unknown[] = []
    await transport.consume('invoices', () => gate.opened)
    await transport.send('invoices', { data: 1 })
    await transport.send('orders', { data: 'suspect' })
    await crashOn('orders', 2)
    await transport.consume('orders', ({ data }) => seen.push(data))
    await clock.advance(10)
    broker.faults.revoke('orders')
    await clock.advance(10)
    gate.open()
    await clock.advance(10)
    await transport.send('orders', { data: 'next' })
    await clock.advance(10)
    expect(seen).toEqual(['suspect', 'next'])
    await close()
  })
})

test.each([
  ['native', []],
  ['emulated', ['neighbour']],
] as const)(
  'what was handed out too often is handled all the same where its neighbours are counted with it: %s',
  async (level, expected) => {
    const { clock, open, crashOn, close } = createConsumeBench()
    await (await open()).send('orders', { data: 'neighbour', id: 'order-1' })
    await crashOn('orders', 10)
    const transport = await open({ wrap: counting(level) })
    const events = recordEvents(transport)
    const seen: unknown[] = []
    await transport.consume('orders', ({ data }) => seen.push(data))
    await clock.advance(1_000)
    expect(seen).toEqual(expected)
    expect(events.of('deadLettered')).toHaveLength(1 - expected.length)
    await close()
  },
)

test('what is alone in its process each time is dead-lettered where its neighbours are counted with it', async () => {
  const { clock, broker, open, close } = createConsumeBench()
  await (await open()).send('orders', { data: 'deadly', id: 'order-1' })
  let kills = 0
  for (let process = 0; process < 12; process++) {
    const transport = await open({ name: `process-${process}`, wrap: counting('emulated') })
    await transport.consume('orders', () => {
      kills++
      return never()
    })
    await clock.advance(1_000)
    broker.faults.crash(`process-${process}`)
    await clock.advance(1_000)
  }
  const last = await open()
  expect(await last.deadLetters('orders').count()).toBe(1)
  expect(kills).toBe(10)
  await close()
})

test('a consumer that starts while a suspect has the process waits for it', async () => {
  const { clock, open, crashOn, close } = createConsumeBench()
  const transport = await open()
  const gate = createGate()
  const seen: unknown[] = []
  await transport.send('orders', { data: 'suspect' })
  await crashOn('orders', 2)
  await transport.consume('orders', () => gate.opened)
  await clock.advance(10)
  await transport.consume('invoices', ({ data }) => seen.push(data))
  await transport.send('invoices', { data: 'neighbour' })
  await clock.advance(10)
  expect(seen).toEqual([])
  gate.open()
  await clock.advance(10)
  expect(seen).toEqual(['neighbour'])
  await close()
})
