import { describe, expect, test } from 'vitest'
import { createConsumeBench, recordEvents } from '../../test/consume-bench.ts'
import type { BatchHandler, Handler, Middleware, MiddlewareFacts } from '../contract/middleware.ts'

type Decide = NonNullable<MiddlewareFacts['decide']>

const policy = (decide: Decide): Middleware => ({
  name: 'mine',
  phase: 'retry',
  facts: { maxAttempts: 5, decide },
  wrap: (next) => next,
})

const hangs = (): Promise<never> => new Promise(() => {})

async function run(
  decide: Decide,
  { observe, batch = false }: { observe?: Middleware['wrap']; batch?: boolean } = {},
): Promise<{ reasons: string[]; broken: unknown[]; delays: number[] }> {
  const { clock, open } = createConsumeBench()
  const transport = await open()
  const events = recordEvents(transport)
  const observing: Middleware[] =
    observe === undefined ? [] : [{ name: 'o', phase: 'observe', wrap: observe }]
  const options = { handlerTimeoutMs: 1_000, use: [...observing, policy(decide)] }
  if (batch) await transport.consume('orders', hangs as BatchHandler, { ...options, batch: { max: 2 } })
  else await transport.consume('orders', hangs as Handler, options)
  await transport.sendMany('orders', [
    { type: 'order.a', data: { n: 1 } },
    { type: 'order.b', data: { n: 2 } },
  ])
  await clock.advance(1_100)
  return {
    reasons: events.of('deadLettered').map(({ type, reason }) => `${type}: ${reason}`),
    broken: events.of('callbackFailed').map(({ where, error }) => `${where}: ${String(error)}`),
    delays: events.of('retried').map(({ delayMs }) => delayMs),
  }
}

const say: Decide = (error, { data, type }, context) =>
  context.deadLetter({
    reason: `${(error as { code?: string }).code} ${type} ${JSON.stringify(data)} ${context.attempt}`,
  })

describe('what the chain does not see', () => {
  test.each([false, true])(
    'goes to the retry policy when a handler runs out of time (batch: %s)',
    async (batch) => {
      const { reasons, broken } = await run(say, { batch })
      expect(reasons).toEqual([
        'order.a: POSTHORN_HANDLER_TIMEOUT order.a {"n":1} 1',
        'order.b: POSTHORN_HANDLER_TIMEOUT order.b {"n":2} 1',
      ])
      expect(broken).toEqual([])
    },
  )

  test.each(['at once', 'later'])('goes to it when a middleware around it fails %s', async (when) => {
    const observe: Middleware['wrap'] = () => () => {
      const error = Object.assign(new Error('x'), { code: 'mine' })
      if (when === 'at once') throw error
      return Promise.reject(error)
    }
    expect((await run(say, { observe })).reasons).toEqual([
      'order.a: mine order.a {"n":1} 1',
      'order.b: mine order.b {"n":2} 1',
    ])
  })

  test('waits as the policy says', async () => {
    const { delays } = await run((error, _, context) => context.retry({ delayMs: 77_000, error }))
    expect(delays).toEqual([77_000, 77_000])
  })

  test.each<[string, Decide, string]>([
    [
      'throws',
      () => {
        throw new Error('broken policy')
      },
      'Error: broken policy',
    ],
    ['answers what is no settlement', () => 5 as never, 'decided 5, which is no settlement'],
  ])('is retried as by default when the policy %s', async (_, decide, named) => {
    const { delays, broken } = await run(decide)
    expect(broken[0]).toContain('retry policy of "orders"')
    expect(broken[0]).toContain(named)
    for (const delayMs of delays) expect(delayMs).toBeGreaterThanOrEqual(1_000)
    expect(delays.length).toBe(2)
  })
})
