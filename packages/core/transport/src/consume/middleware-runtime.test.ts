import { describe, expect, test } from 'vitest'
import type { Middleware, MiddlewareRuntime, SettlementBegins } from '../contract/middleware.ts'
import { createConsumeBench, recordEvents } from '../../test/consume-bench.ts'

function spying(runtimes: MiddlewareRuntime[]): Middleware {
  return {
    name: 'spy',
    phase: 'guard',
    wrap: (next, runtime) => {
      runtimes.push(runtime)
      return next
    },
  }
}

describe('the runtime of a middleware', () => {
  test('tells of the consumer and what its broker can do', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const runtimes: MiddlewareRuntime[] = []
    await transport.subscribe('events', () => undefined, { group: 'billing', use: [spying(runtimes)] })
    const [runtime] = runtimes
    expect(runtime?.source).toBe('events/billing')
    expect(runtime?.clock).toBe(clock)
    expect(runtime?.capabilities).toBe(transport.capabilities)
    await close()
  })

  test('emits events of the transport', async () => {
    const { open, close } = createConsumeBench()
    const transport = await open()
    const runtimes: MiddlewareRuntime[] = []
    const seen: unknown[] = []
    transport.on('callbackFailed', (event) => seen.push(event))
    await transport.consume('orders', () => undefined, { use: [spying(runtimes)] })
    runtimes[0]?.emit('callbackFailed', { where: 'a spy', error: 1 })
    expect(seen).toEqual([{ where: 'a spy', error: 1 }])
    await close()
  })

  test('redirects what a handler sends, for that attempt only', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const outbox: unknown[] = []
    await transport.consume(
      'orders',
      (_, context) =>
        context.send('invoices', { data: context.attempt }).then(() => {
          if (context.attempt === 1) throw new Error('again')
        }),
      {
        order: 'key',
        retryDelay: () => 10,
        use: [
          {
            name: 'outbox',
            phase: 'once',
            wrap: (next, runtime) => (message, context) => {
              if (context.attempt === 1)
                runtime.redirect(
                  Object.create(context) as never,
                  async ({ message: { data } }) => void outbox.push(data),
                )
              return next(message, context)
            },
          },
        ],
      },
    )
    await transport.send('orders', { data: 1, key: 'a' })
    await clock.advance(100)
    expect(outbox).toEqual([1])
    const sent: unknown[] = []
    await transport.consume('invoices', ({ data }) => sent.push(data))
    await clock.advance(10)
    expect(sent).toEqual([2])
    await close()
  })

  test('refuses to redirect or to watch what is no context', async () => {
    const { open, close } = createConsumeBench()
    const transport = await open()
    const runtimes: MiddlewareRuntime[] = []
    await transport.consume('orders', () => undefined, { use: [spying(runtimes)] })
    expect(() => runtimes[0]?.redirect({} as never, async () => undefined)).toThrow(
      'middleware "spy" redirects a context that is none',
    )
    expect(() => runtimes[0]?.onSettle({} as never, () => () => undefined)).toThrow(
      'middleware "spy" watches a context that is none',
    )
    await close()
  })

  /** Says when settlements begin and end, twice, as two that watch would. */
  function watching(log: string[]): Middleware {
    return {
      name: 'watch',
      phase: 'observe',
      wrap: (next, runtime) => (message, context) => {
        const which = `attempt ${context.attempt}, delivery ${context.deliveries}`
        for (const who of ['first', 'second'])
          runtime.onSettle(Object.create(context) as never, (verb) => {
            log.push(`${who}: ${which}: ${verb}`)
            return (outcome) => log.push(`${who}: ${which}: ${outcome}`)
          })
        return next(message, context)
      },
    }
  }
  const twice = (which: string, ...lines: string[]): string[] =>
    lines.flatMap((line) => [`first: ${which}: ${line}`, `second: ${which}: ${line}`])

  test('tells when a settlement goes to the broker and when it is there, attempt by attempt', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const log: string[] = []
    await transport.consume(
      'orders',
      (_, { attempt }) => {
        if (attempt < 3) throw new Error('again')
      },
      { use: [watching(log)], order: 'key', maxAttempts: 3, retryDelay: () => 10 },
    )
    await transport.send('orders', { data: 1, key: 'a' })
    await clock.advance(100)
    expect(log).toEqual([
      ...twice('attempt 1, delivery 1', 'hold', 'confirmed'),
      ...twice('attempt 2, delivery 1', 'hold', 'confirmed'),
      ...twice('attempt 3, delivery 1', 'ack', 'confirmed'),
    ])
    await close()
  })

  test('tells of a settlement once, though it is tried again, and of the verb that it came to', async () => {
    const { clock, open, close } = createConsumeBench()
    let failures = 2
    const transport = await open({
      wrap: {
        consumer: (consumer) => ({
          settle: (scope, items) => {
            if (failures-- > 0) return Promise.reject(new Error('not now'))
            return consumer.settle(scope, items)
          },
        }),
      },
    })
    const log: string[] = []
    await transport.consume('orders', () => Promise.reject(new Error('no')), {
      use: [watching(log)],
      maxAttempts: 1,
    })
    await transport.send('orders', { data: 1 })
    await clock.advance(50)
    expect(log).toEqual(twice('attempt 1, delivery 1', 'deadLetter'))
    await clock.advance(10_000)
    expect(log).toEqual(twice('attempt 1, delivery 1', 'deadLetter', 'confirmed'))
    await close()
  })

  test('tells that a settlement is lost when its connection is, before it is tried again', async () => {
    const { clock, broker, open, close } = createConsumeBench()
    let isCut = false
    const transport = await open({
      name: 'cut',
      wrap: {
        consumer: (consumer) => ({
          settle: (scope, items) =>
            isCut ? consumer.settle(scope, items) : Promise.reject(new Error('not now')),
        }),
      },
    })
    const log: string[] = []
    await transport.consume('orders', () => undefined, { use: [watching(log)] })
    await transport.send('orders', { data: 1 })
    await clock.advance(10)
    expect(log).toEqual(twice('attempt 1, delivery 1', 'ack'))
    isCut = true
    broker.faults.cut('cut')
    await clock.advance(60_000)
    expect(log.filter((line) => line.includes('delivery 1'))).toEqual(
      twice('attempt 1, delivery 1', 'ack', 'lost'),
    )
    expect(log.filter((line) => line.includes('delivery 2'))).toEqual(
      twice('attempt 1, delivery 2', 'ack', 'confirmed'),
    )
    await close()
  })

  test('bears what watches throw, and tells of it', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    const events = recordEvents(transport)
    const fail = (): never => {
      throw new Error('mine')
    }
    const broken = (begins: SettlementBegins): Middleware => ({
      name: 'broken',
      phase: 'observe',
      wrap: (next, runtime) => (message, context) => {
        runtime.onSettle(context, begins)
        return next(message, context)
      },
    })
    await transport.consume('orders', () => undefined, { use: [broken(fail), broken(() => fail)] })
    await transport.send('orders', { data: 1 })
    await clock.advance(10)
    expect(events.of('callbackFailed').map(({ where }) => where)).toEqual(
      Array(2).fill('onSettle of middleware "broken"'),
    )
    expect(await transport.depth('orders')).toMatchObject({ ready: 0, inFlight: 0 })
    await close()
  })

  test('is closed, too, when another middleware cannot be set up', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    let closed = 0
    const first: Middleware = {
      name: 'store',
      phase: 'once',
      wrap: (next, runtime) => {
        runtime.onClose(() => void closed++)
        return next
      },
    }
    const second: Middleware = {
      name: 'broken',
      phase: 'observe',
      wrap: () => {
        throw new Error('no store')
      },
    }
    await expect(transport.consume('orders', () => undefined, { use: [first, second] })).rejects.toThrow(
      'no store',
    )
    await clock.advance(0)
    expect(closed).toBe(1)
    await close()
  })
})
