import { describe, expect, test } from 'vitest'
import type { Middleware, MiddlewareRuntime } from '../contract/middleware.ts'
import { createConsumeBench } from '../../test/consume-bench.ts'

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

  test('refuses to redirect what is no context', async () => {
    const { open, close } = createConsumeBench()
    const transport = await open()
    const runtimes: MiddlewareRuntime[] = []
    await transport.consume('orders', () => undefined, { use: [spying(runtimes)] })
    expect(() => runtimes[0]?.redirect({} as never, async () => undefined)).toThrow(
      'middleware "spy" redirects a context that is none',
    )
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
