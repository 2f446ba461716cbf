import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connect, fixed, isPosthornError, type PosthornError, type Transport } from '../src/index.ts'
import { createMemoryBroker, memory, type MemoryBroker } from '../src/memory.ts'

let broker: MemoryBroker
let transport: Transport

beforeEach(async () => {
  broker = createMemoryBroker({ maxBodyBytes: 1_000, maxHeaderBytes: 500 })
  transport = await broker.connect()
})

afterEach(async () => {
  await transport.close()
})

/** The error of a call that must fail, whether it throws or rejects. */
async function refusal(call: () => unknown): Promise<PosthornError> {
  try {
    await call()
  } catch (error) {
    if (isPosthornError(error)) return error
    throw error
  }
  throw new Error('Nothing was refused.')
}

const handler = (): void => {}

describe('a consumer is refused before anything is declared', () => {
  test.each([0, -1, Number.NaN, 1.5, '5', Infinity, null])('with concurrency %s', async (concurrency) => {
    const error = await refusal(() =>
      transport.consume('orders', handler, { concurrency: concurrency as number }),
    )
    expect(error.code).toBe('POSTHORN_INVALID_OPTION')
    expect(error.message).toContain('consume("orders").concurrency')
    expect(error.message).toContain('whole number from 1')
    expect(await transport.plan({ queues: [{ name: 'orders' }] })).toContainEqual(
      expect.objectContaining({ name: 'orders', action: 'create' }),
    )
  })

  test.each([
    [{ maxAttempts: 0 }, 'maxAttempts'],
    [{ maxDeliveries: 0 }, 'maxDeliveries'],
    [{ handlerTimeoutMs: 0 }, 'handlerTimeoutMs'],
    [{ handlerTimeoutMs: -5 }, 'handlerTimeoutMs'],
    [{ prefetch: 0 }, 'prefetch'],
    [{ prefetch: 3, concurrency: 8 }, 'prefetch'],
    [{ order: 'keys' }, 'order'],
    [{ whileRetrying: 'wait', order: 'key' }, 'whileRetrying'],
    [{ whileRetrying: 'overtake' }, 'whileRetrying'],
    [{ retryDelay: 500 }, 'retryDelay'],
    [{ maxBytes: 0 }, 'maxBytes'],
    [{ use: {} }, 'use'],
    [{ use: [{ name: 'x', phase: 'before', wrap: handler }] }, 'phase'],
    [{ batch: { max: 0 } }, 'max'],
    [{ batch: { max: 5, waitMs: -1 } }, 'waitMs'],
    [{ batch: { max: 5 }, order: 'key' }, 'batch'],
  ])('with %o', async (options, named) => {
    const error = await refusal(() => transport.consume('orders', handler, options as never))
    expect(error.code).toBe('POSTHORN_INVALID_OPTION')
    expect(error.message).toContain(named)
  })

  test('with an unknown option, suggesting the near one', async () => {
    const error = await refusal(() => transport.consume('orders', handler, { concurency: 5 } as never))
    expect(error.code).toBe('POSTHORN_UNKNOWN_OPTION')
    expect(error.message).toContain('Did you mean "concurrency"?')
  })

  test.each([undefined, null, 'handle', {}])('with %o as its handler', async (given) => {
    const error = await refusal(() => transport.consume('orders', given as never))
    expect(error.code).toBe('POSTHORN_INVALID_OPTION')
    expect(error.message).toContain('takes a handler function')
  })

  test('with two retry policies', async () => {
    const policy = { name: 'mine', phase: 'retry', wrap: (next: never) => next } as const
    const both = await refusal(() => transport.consume('orders', handler, { use: [policy, policy] }))
    expect(both.message).toContain('2 retry policies')
    const mixed = await refusal(() => transport.consume('orders', handler, { use: [policy], maxAttempts: 3 }))
    expect(mixed.message).toContain('two retry policies')
    expect(mixed.message).toContain('maxAttempts')
  })

  test('but a middleware may be more than one, and of any make', async () => {
    class Counter {
      readonly name = 'counter'
      readonly phase = 'observe'
      readonly count = 0
      wrap<Next>(next: Next): Next {
        return next
      }
    }
    const own = { name: 'own', phase: 'guard', wrap: (next: never) => next, run: () => 1 } as const
    const consumer = await transport.consume('orders', handler, { use: [new Counter(), own] })
    expect(consumer.health().state).toBe('up')
  })

  test('with a batch and a transactional middleware', async () => {
    const inbox = {
      name: 'inbox',
      phase: 'once',
      facts: { transactional: true },
      wrap: (next: never) => next,
    } as const
    const error = await refusal(() =>
      transport.consume('orders', handler, { use: [inbox], batch: { max: 2 } }),
    )
    expect(error.message).toContain('transactional middleware "inbox"')
  })

  test('with neither group nor ephemeral, or both', async () => {
    const neither = await refusal(() => transport.subscribe('events', handler, {} as never))
    expect(neither.code).toBe('POSTHORN_INVALID_OPTION')
    expect(neither.message).toContain('either { group }')
    const both = await refusal(() =>
      transport.subscribe('events', handler, { group: 'a', ephemeral: true } as never),
    )
    expect(both.message).toContain('only one of { group }')
  })

  test('with attempts for an ephemeral subscription', async () => {
    const error = await refusal(() =>
      transport.subscribe('events', handler, { ephemeral: true, maxAttempts: 3 }),
    )
    expect(error.message).toContain('maxAttempts has no meaning with ephemeral')
  })

  test.each(['a..b', '.a', 'a.', '', 'a*', '#b', 'x'.repeat(256)])(
    'with the pattern %j',
    async (patterns) => {
      const error = await refusal(() => transport.subscribe('events', handler, { group: 'g', patterns }))
      expect(error.code).toBe('POSTHORN_INVALID_PATTERN')
    },
  )

  test('with a concurrency that is no number while it runs', async () => {
    const consumer = await transport.consume('orders', handler)
    expect(() => consumer.setConcurrency(0)).toThrow('whole number from 1')
  })
})

describe('a name is refused', () => {
  test.each(['', 'a b', 'a/b', 'ü', 'x'.repeat(51), 'a\n', 5, undefined])('such as %j', async (name) => {
    for (const call of [
      () => transport.send(name as string, { data: 1 }),
      () => transport.publish(name as string, { data: 1 }),
      () => transport.consume(name as string, handler),
      () => transport.subscribe(name as string, handler, { group: 'g' }),
      () => transport.subscribe('events', handler, { group: name as string }),
    ]) {
      const error = await refusal(call)
      expect(['POSTHORN_INVALID_NAME', 'POSTHORN_INVALID_OPTION']).toContain(error.code)
    }
  })
})

describe('a message is refused, and nothing of it is there', () => {
  const circular: { self?: unknown } = {}
  circular.self = circular
  const headers = (name: string): Record<string, string> =>
    JSON.parse(`{${JSON.stringify(name)}:"x"}`) as Record<string, string>

  test.each([
    ['undefined', { data: undefined }, 'POSTHORN_INVALID_DATA', '$'],
    ['a function', { data: handler }, 'POSTHORN_INVALID_DATA', '$'],
    [
      'a function inside',
      { data: { items: [{ price: handler }] } },
      'POSTHORN_INVALID_DATA',
      '$.items[0].price',
    ],
    ['a BigInt inside', { data: { total: 5n } }, 'POSTHORN_INVALID_DATA', '$.total'],
    ['a circle', { data: circular }, 'POSTHORN_INVALID_DATA', '$.self'],
    ['NaN', { data: { total: Number.NaN } }, 'POSTHORN_INVALID_DATA', '$.total'],
    ['a Map', { data: { items: new Map() } }, 'POSTHORN_INVALID_DATA', '$.items'],
    [
      'a reserved header',
      { data: 1, headers: { 'posthorn-attempt': '7' } },
      'POSTHORN_INVALID_HEADER',
      'posthorn-attempt',
    ],
    [
      'a reserved header in capitals',
      { data: 1, headers: { 'Posthorn-Id': '7' } },
      'POSTHORN_INVALID_HEADER',
      'Posthorn-Id',
    ],
    [
      'the header __proto__',
      { data: 1, headers: headers('__proto__') },
      'POSTHORN_INVALID_HEADER',
      '__proto__',
    ],
    ['a header that is no string', { data: 1, headers: { a: 5 } }, 'POSTHORN_INVALID_HEADER', 'a'],
    ['a header with a line break', { data: 1, headers: { a: 'b\r\nc' } }, 'POSTHORN_INVALID_HEADER', 'a'],
    ['a negative delay', { data: 1, delayMs: -1 }, 'POSTHORN_INVALID_MESSAGE', 'delayMs'],
    ['an endless delay', { data: 1, delayMs: Infinity }, 'POSTHORN_INVALID_MESSAGE', 'delayMs'],
    ['a priority of 10', { data: 1, priority: 10 }, 'POSTHORN_INVALID_MESSAGE', 'priority'],
    ['a priority of 1.5', { data: 1, priority: 1.5 }, 'POSTHORN_INVALID_MESSAGE', 'priority'],
    ['an empty id', { data: 1, id: '' }, 'POSTHORN_INVALID_MESSAGE', 'id'],
    ['an unknown field', { data: 1, delay: 5 }, 'POSTHORN_INVALID_MESSAGE', 'delayMs'],
    [
      'a replyTo that is no inbox',
      { data: 1, replyTo: 'other-queue' },
      'POSTHORN_INVALID_MESSAGE',
      'replyTo',
    ],
    [
      'an invalid date',
      { data: 1, expiresAt: new Date(Number.NaN) },
      'POSTHORN_INVALID_MESSAGE',
      'expiresAt',
    ],
    ['no message at all', undefined, 'POSTHORN_INVALID_MESSAGE', 'data'],
  ])('with %s', async (_what, message, code, named) => {
    await transport.declare({ queues: [{ name: 'orders' }] })
    const error = await refusal(() => transport.send('orders', message as never))
    expect(error.code).toBe(code)
    expect(error.outcome).toBe('rejected')
    expect(error.message).toContain(named)
    expect((await transport.depth('orders')).ready).toBe(0)
  })

  test('with a body over the limit, naming both sizes', async () => {
    const error = await refusal(() => transport.send('orders', { data: 'x'.repeat(2_000) }))
    expect(error.code).toBe('POSTHORN_BODY_TOO_LARGE')
    expect(error.retryable).toBe(false)
    expect(error.message).toMatch(/2,?002/)
    expect(error.message).toMatch(/1,?000/)
  })

  test('with headers over the limit, naming both sizes', async () => {
    const error = await refusal(() => transport.send('orders', { data: 1, headers: { a: 'x'.repeat(600) } }))
    expect(error.code).toBe('POSTHORN_HEADERS_TOO_LARGE')
    expect(error.message).toContain('601')
    expect(error.message).toContain('500')
  })

  test('with an unknown call option, or a timeout that is none', async () => {
    expect(
      (await refusal(() => transport.send('orders', { data: 1 }, { timeout: 5 } as never))).message,
    ).toContain('timeoutMs')
    expect((await refusal(() => transport.send('orders', { data: 1 }, { timeoutMs: 0 }))).code).toBe(
      'POSTHORN_INVALID_OPTION',
    )
  })

  test('in a batch, without touching its neighbours', async () => {
    const error = await refusal(() =>
      transport.sendMany('orders', [{ data: 1 }, { data: 2n }, { data: 3 }] as never),
    )
    expect(error.code).toBe('POSTHORN_PARTIAL_PUBLISH')
    expect((error as PosthornError & { outcomes: unknown[] }).outcomes).toEqual([
      'confirmed',
      expect.objectContaining({ code: 'POSTHORN_INVALID_DATA', outcome: 'rejected' }),
      'confirmed',
    ])
    expect((await transport.depth('orders')).ready).toBe(2)
  })
})

describe('a topology is refused', () => {
  test('whose queue is its own dead-letter queue', async () => {
    const error = await refusal(() =>
      transport.declare({ queues: [{ name: 'orders', deadLetterQueue: 'orders' }] }),
    )
    expect(error.code).toBe('POSTHORN_INVALID_OPTION')
    expect(error.message).toContain('its own dead-letter queue')
  })

  test.each([
    [{ queue: [{ name: 'a' }] }, 'queues'],
    [{ queues: [{ nam: 'a' }] }, 'name'],
    [{ queues: [{ name: 'a', maxMessages: 0 }] }, 'maxMessages'],
    [{ queues: [{ name: 'a', deduplicationWindowMs: 'x' }] }, 'deduplicationWindowMs'],
    [{ subscriptions: [{ topic: 'a', group: 'b', patterns: [] }] }, 'patterns'],
    [{ subscriptions: [{ topic: 'a' }] }, 'group'],
  ])('such as %o', async (topology, named) => {
    expect((await refusal(() => transport.declare(topology as never))).message).toContain(named)
  })

  test('in an unknown mode', async () => {
    expect((await refusal(() => transport.declare({}, { mode: 'verify' as never }))).message).toContain(
      'mode',
    )
  })
})

describe('a transport is refused', () => {
  test.each([
    [{ maxInFlight: 0 }, 'maxInFlight'],
    [{ whenFull: 'drop' }, 'whenFull'],
    [{ sendTimeoutMs: Number.NaN }, 'sendTimeoutMs'],
    [{ namespace: 'a b' }, 'namespace'],
    [{ topology: 'maybe' }, 'topology'],
    [{ codec: {} }, 'codec'],
    [{ clock: { now: handler } }, 'clock'],
    [{ sendTimeout: 5 }, 'sendTimeoutMs'],
  ])('with %o', async (options, named) => {
    expect((await refusal(() => memory(options as never))).message).toContain(named)
  })

  test('with a URL of a scheme that nobody speaks, listing those accepted', async () => {
    const error = await refusal(() => connect('mqtt://user:hunter2@localhost'))
    expect(error.code).toBe('POSTHORN_INVALID_URL')
    expect(error.message).toContain('"mqtt:"')
    expect(error.message).toContain('amqp:')
    expect(error.message).not.toContain('hunter2')
  })

  test('with something that is no URL, without showing it', async () => {
    const error = await refusal(() => connect('hunter2'))
    expect(error.code).toBe('POSTHORN_INVALID_URL')
    expect(error.message).not.toContain('hunter2')
  })

  test('when the package for the scheme is missing, naming it', async () => {
    const load = (): Promise<unknown> => Promise.reject(new Error('not found'))
    const error = await refusal(() => connect('amqp://user:hunter2@localhost', { load }))
    expect(error.code).toBe('POSTHORN_DRIVER_MISSING')
    expect(error.message).toContain('npm install @posthorn/rabbitmq')
    expect(error.message).not.toContain('hunter2')
  })
})

test('a retry delay is refused where it is made', async () => {
  expect((await refusal(() => fixed(-1))).code).toBe('POSTHORN_INVALID_OPTION')
})
