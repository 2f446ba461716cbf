import { beforeEach, describe, expect, test } from 'vitest'
import {
  connectFailed,
  connectionLost,
  createFakeDriver,
  fakeCapabilities,
  idleConsumer,
  never,
  type FakeDriver,
} from '../test/fake-driver.ts'
import type { DeadLetterPass, DeliverySink } from './contract/driver.ts'
import type { Transport } from './contract/transport.ts'
import type { TransportOptions } from './contract/transport-options.ts'
import { createTransport } from './create-transport.ts'
import { PosthornError } from './errors.ts'
import { createVirtualClock, type VirtualClock } from './testing/virtual-clock.ts'

let clock: VirtualClock
let driver: FakeDriver

beforeEach(() => {
  clock = createVirtualClock()
  driver = createFakeDriver()
})

function connect(options: TransportOptions = {}): Promise<Transport<string>> {
  return createTransport(driver, { clock, ...options })
}

/** Follows a promise without waiting for it. */
function watch<Result>(promise: Promise<Result>): {
  result: Result | undefined
  error: PosthornError | undefined
} {
  const seen: { result: Result | undefined; error: PosthornError | undefined } = {
    result: undefined,
    error: undefined,
  }
  promise.then(
    (result) => (seen.result = result),
    (error: unknown) => (seen.error = error as PosthornError),
  )
  return seen
}

const missing = new PosthornError('POSTHORN_TOPOLOGY_MISSING', 'It does not exist.', { phase: 'declare' })
const noDepth = { ready: 0, delayed: 0, inFlight: 0, deadLettered: 0, oldestAgeMs: undefined, lag: undefined }

describe('a transport', () => {
  test.each([
    [undefined, 'an'],
    [{}, 'specificationVersion'],
    [{ specificationVersion: 'v1', name: 'x' }, 'takes a driver'],
    [
      { specificationVersion: 'v2', name: 'future', connect: () => {} },
      'The driver "future" is made for version "v2"',
    ],
  ])('is not made of %o', async (given, named) => {
    const error = await createTransport(given as never).catch((reason: unknown) => reason as PosthornError)
    expect(error).toMatchObject({ code: 'POSTHORN_INVALID_OPTION' })
    expect((error as PosthornError).message).toContain(named)
  })

  test('is not made where no connection comes up, and leaves nothing behind', async () => {
    driver.script.push(() => Promise.reject(connectFailed('Wrong password.', false)))
    await expect(connect()).rejects.toMatchObject({ code: 'POSTHORN_ACCESS_DENIED' })
    expect(clock.pending).toBe(0)
  })

  test('tells what it is connected to', async () => {
    const transport = await connect()
    expect(transport.broker).toBe('fake')
    expect(transport.native).toBe('native client')
    expect(transport.capabilities).toBe(driver.connection.capabilities)
    expect(transport.health()).toEqual({
      broker: 'fake',
      version: '1.2.3',
      state: 'up',
      since: clock.now(),
      reason: undefined,
      error: undefined,
      publishing: 0,
      consumers: [],
    })
  })

  test('takes an option that is undefined as left out', async () => {
    const transport = await connect({ sendTimeoutMs: undefined, namespace: undefined } as never)
    driver.connection.onPublish = () => {}
    const sending = watch(transport.send('orders', { data: 1 }))
    await clock.advance(29_999)
    expect(sending.error).toBeUndefined()
    await clock.advance(1)
    expect(sending.error).toMatchObject({ code: 'POSTHORN_TIMEOUT' })
  })
})

describe('health', () => {
  test('says since when and why the connection is not up', async () => {
    const transport = await connect()
    await clock.advance(5_000)
    driver.connection.host.blocked('no memory')
    expect(transport.health()).toMatchObject({
      state: 'blocked',
      since: clock.now(),
      reason: 'no memory',
      error: undefined,
    })
    driver.connection.host.blocked(undefined)
    driver.connection.host.lost(connectionLost())
    expect(transport.health()).toMatchObject({
      state: 'connecting',
      reason: 'The socket is gone.',
      version: '1.2.3',
    })
    expect(transport.health().error?.code).toBe('POSTHORN_CONNECTION_LOST')
  })

  test('is down where a consumer is, but the connection comes first', async () => {
    const transport = await connect()
    let sink: DeliverySink | undefined
    driver.connection.onConsume = (_source, _request, given) => {
      sink = given
      return Promise.resolve(idleConsumer())
    }
    await transport.consume('orders', () => {})
    sink?.ended(new PosthornError('POSTHORN_ACCESS_DENIED', 'You may not read.'))
    expect(transport.health()).toMatchObject({ state: 'down', reason: 'orders: You may not read.' })
    driver.connection.host.blocked('no memory')
    expect(transport.health()).toMatchObject({ state: 'blocked', reason: 'no memory' })
  })

  test('counts what is sent and has no answer', async () => {
    const transport = await connect()
    driver.connection.onPublish = () => {}
    void transport.send('orders', { data: 1 }).catch(() => {})
    await clock.advance(0)
    expect(transport.health().publishing).toBe(1)
  })
})

describe('a declaration', () => {
  test.each([
    [{ queues: [{ name: 'a', maxMessages: 5 }] }, 'boundedQueues'],
    [{ queues: [{ name: 'a', maxBytes: 5 }] }, 'boundedQueues'],
    [{ subscriptions: [{ topic: 'a', group: 'b', maxMessages: 5 }] }, 'boundedQueues'],
    [{ queues: [{ name: 'a', deduplicationWindowMs: 5 }] }, 'deduplication'],
    [{ queues: [{ name: 'a', order: 'key' }] }, 'keyOrder'],
    [{ subscriptions: [{ topic: 'a', group: 'b', order: 'key' }] }, 'keyOrder'],
    [{ subscriptions: [{ topic: 'a', group: 'b', from: 'earliest' }] }, 'fromEarliest'],
    [{ subscriptions: [{ topic: 'a', group: 'b', from: new Date(0) }] }, 'fromTime'],
  ] as const)('of %o is refused where the broker cannot do it', async (topology, feature) => {
    const alternative = 'do without'
    driver.prepare = (connection) => {
      connection.capabilities = fakeCapabilities({ [feature]: { level: 'unsupported', alternative } })
    }
    const transport = await connect()
    const error = await transport
      .declare(topology as never)
      .catch((reason: unknown) => reason as PosthornError)
    expect(error).toMatchObject({ code: 'POSTHORN_UNSUPPORTED' })
    expect((error as PosthornError).message).toMatch(
      new RegExp(`needs ${feature}, which fake 1\\.2\\.3 does not have\\. Instead: do without`),
    )
    expect(driver.connection.declared).toEqual([])
    driver.connection.capabilities = fakeCapabilities()
  })

  test('waits for a connection, and for an answer no longer than a send would', async () => {
    const transport = await connect({ sendTimeoutMs: 5_000 })
    driver.connection.host.lost(connectionLost())
    driver.prepare = (connection) => {
      connection.onDeclare = never
      connection.onPlan = never
      connection.onDepth = never
    }
    const calls = [
      watch(transport.declare({ queues: [{ name: 'a' }] })),
      watch(transport.plan({})),
      watch(transport.depth('a')),
    ]
    await clock.advance(1_000)
    expect(driver.connection.declared).toHaveLength(1)
    await clock.advance(5_000)
    for (const { error } of calls) expect(error).toMatchObject({ code: 'POSTHORN_TIMEOUT', retryable: true })
  })

  test('that hangs while its connection is lost ends, and sends to its queue go on', async () => {
    const transport = await connect()
    driver.connection.onDeclare = never
    const sending = watch(transport.send('orders', { data: 1 }).then(() => 'sent'))
    const declaring = watch(transport.declare({ queues: [{ name: 'bills' }] }))
    await clock.advance(100)
    driver.connection.host.lost(connectionLost())
    await clock.advance(2_000)
    expect(declaring.error).toMatchObject({ code: 'POSTHORN_CONNECTION_LOST' })
    expect(sending.result).toBe('sent')
    expect(driver.connection.declared).toEqual([
      { topology: { queues: [{ name: 'orders' }] }, mode: 'create' },
    ])
  })

  test('changes what is known of a queue for the next send', async () => {
    const transport = await connect()
    await transport.send('orders', { data: 1 })
    await transport.declare({ queues: [{ name: 'orders', order: 'key', shards: 4 }] })
    await transport.send('orders', { data: 1 })
    expect(driver.connection.published.map(({ destination }) => destination)).toMatchObject([
      { shards: 1 },
      { shards: 4 },
    ])
  })

  test('uses the mode of the transport, or its own', async () => {
    const transport = await connect({ topology: 'check' })
    await transport.declare({ queues: [{ name: 'a' }] })
    await transport.declare({ queues: [{ name: 'b' }] }, { mode: 'create' })
    await transport.declare({ queues: [{ name: 'c' }] }, { mode: 'none' })
    expect(driver.connection.declared.map(({ mode }) => mode)).toEqual(['check', 'create'])
  })
})

describe('a new connection', () => {
  test('has what was declared before, and the consumers, before anything is written', async () => {
    const transport = await connect()
    await transport.declare({ queues: [{ name: 'orders', maxMessages: 5 }] })
    await transport.consume('bills', () => {})
    const log: string[] = []
    driver.prepare = (connection) => {
      connection.onDeclare = async ({ queues = [] }) =>
        void log.push(`declare ${queues.map(({ name }) => name).join()}`)
      connection.onConsume = async () => {
        log.push('consume')
        return idleConsumer()
      }
      connection.onPublish = (call) => {
        log.push('publish')
        call.answer(['confirmed'])
      }
    }
    driver.connection.host.lost(connectionLost())
    const sending = transport.send('orders', { data: 1 })
    await clock.advance(1_000)
    await sending
    expect(log).toEqual(['declare orders', 'declare bills', 'consume', 'publish'])
  })

  test('is used though something declared before does not fit any more; who sends there gets the error', async () => {
    const transport = await connect()
    await transport.declare({ queues: [{ name: 'orders' }, { name: 'bills' }] })
    const mismatch = new PosthornError('POSTHORN_TOPOLOGY_MISMATCH', 'maxMessages is 5.', {
      phase: 'declare',
    })
    driver.prepare = (connection) => {
      connection.onDeclare = ({ queues = [] }) =>
        queues.some(({ name }) => name === 'orders') ? Promise.reject(mismatch) : Promise.resolve()
    }
    driver.connection.host.lost(connectionLost())
    await clock.advance(1_000)
    expect(transport.health().state).toBe('up')
    await transport.send('bills', { data: 1 })
    await expect(transport.send('orders', { data: 1 })).rejects.toMatchObject({
      code: 'POSTHORN_TOPOLOGY_MISMATCH',
      outcome: 'rejected',
    })
  })

  test('is replaced where setting up its consumers hangs', async () => {
    const transport = await connect()
    await transport.consume('bills', () => {})
    driver.prepare = (connection, index) => {
      if (index === 1) connection.onConsume = never
    }
    driver.connection.host.lost(connectionLost())
    await clock.advance(40_000)
    expect(driver.connections).toHaveLength(3)
    expect(transport.health()).toMatchObject({ state: 'up', consumers: [{ state: 'up' }] })
  })

  test('is not there any more once it has been given up: everything is refused, and says why', async () => {
    const transport = await connect({ maxReconnects: 0 })
    driver.connection.onPublish = () => {}
    const sending = watch(transport.send('orders', { data: 1 }))
    await clock.advance(0)
    driver.connection.host.lost(connectionLost())
    await clock.advance(0)
    expect(sending.error).toMatchObject({ outcome: 'unknown' })
    for (const call of [
      () => transport.send('orders', { data: 1 }),
      () => transport.sendMany('orders', [{ data: 1 }]),
      () => transport.consume('orders', () => {}),
      () => transport.declare({}),
      () => transport.depth('orders'),
      () => transport.deadLetters('orders').count(),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'POSTHORN_CONNECT_FAILED', retryable: false })
    }
    expect(transport.health().state).toBe('down')
    expect(await transport.close()).toEqual({ consumers: [], unconfirmed: 0, clean: true })
    expect(clock.pending).toBe(0)
  })
})

describe('a connection that does not answer a batch', () => {
  test('is replaced, and takes what comes after', async () => {
    const transport = await connect()
    driver.connection.onPublish = () => {}
    const first = watch(transport.send('orders', { data: 1 }, { timeoutMs: 1_000 }))
    await clock.advance(25_000)
    expect(first.error).toMatchObject({ code: 'POSTHORN_TIMEOUT', outcome: 'unknown' })
    expect(driver.connections).toHaveLength(2)
    expect(driver.connections[0]?.closes).toBe(1)
    await transport.send('orders', { data: 1 })
  })
})

describe('what is asked about a source that is missing', () => {
  test('makes it first in mode create, as its first use would', async () => {
    const transport = await connect()
    let isThere = false
    driver.connection.onDepth = () => (isThere ? Promise.resolve(noDepth) : Promise.reject(missing))
    driver.connection.onCount = () => (isThere ? Promise.resolve(0) : Promise.reject(missing))
    driver.connection.onDeclare = async () => void (isThere = true)
    expect(await transport.depth('orders')).toBe(noDepth)
    isThere = false
    expect(await transport.deadLetters('orders').count()).toBe(0)
    expect(driver.connection.declared).toHaveLength(2)
  })

  test('is refused where it may not be made, is not known, or is missing all the same', async () => {
    for (const [options, source] of [
      [{ topology: 'check' }, 'orders'],
      [{ topology: 'none' }, 'orders'],
      [{}, 'events/billing'],
      [{}, 'orders'],
    ] as const) {
      driver = createFakeDriver()
      const transport = await connect(options)
      driver.connection.onDepth = () => Promise.reject(missing)
      await expect(transport.depth(source)).rejects.toBe(missing)
    }
  })

  test('is refused at once where the source cannot be meant', async () => {
    const transport = await connect()
    for (const source of ['', 'a b', 'a/b/c', undefined, 5, {}, { queue: 'a', deadLetterQueue: 'a' }]) {
      await expect(transport.depth(source as never)).rejects.toBeInstanceOf(PosthornError)
      expect(() => transport.deadLetters(source as never)).toThrow(PosthornError)
    }
  })
})

describe('dead letters', () => {
  test('are those of the queue that was named, declared or is the default', async () => {
    const transport = await connect()
    await transport.declare({
      queues: [{ name: 'bills', deadLetterQueue: 'dead-bills' }],
      subscriptions: [{ topic: 'events', group: 'billing', deadLetterQueue: 'dead-events' }],
    })
    const asked: (string | undefined)[] = []
    driver.connection.onDepth = (source) => {
      asked.push('deadLetterQueue' in source ? source.deadLetterQueue : undefined)
      return Promise.resolve(noDepth)
    }
    for (const source of [
      'orders',
      'bills',
      'events/billing',
      { queue: 'orders', deadLetterQueue: 'other' },
      { topic: 'events', group: 'billing' },
    ]) {
      await transport.depth(source as never)
    }
    expect(asked).toEqual(['orders.dlq', 'dead-bills', 'dead-events', 'other', 'dead-events'])
  })

  test('are not worked on over a connection that is gone, whatever its driver does', async () => {
    const transport = await connect()
    const pass: DeadLetterPass = { total: 1, read: never, decide: never, close: never }
    driver.connection.onOpenDeadLetters = () => Promise.resolve(pass)
    const working = watch(transport.deadLetters('orders').discard('all'))
    await clock.advance(0)
    const lost = connectionLost()
    driver.connection.host.lost(lost)
    await clock.advance(0)
    expect(working.error).toBe(lost)
  })

  test('may take long', async () => {
    const transport = await connect({ sendTimeoutMs: 100 })
    let counted = (_count: number): void => {}
    driver.connection.onCount = () => new Promise((resolve) => (counted = resolve))
    const counting = watch(transport.deadLetters('orders').count())
    await clock.advance(3_600_000)
    expect(counting.error).toBeUndefined()
    counted(7)
    await clock.advance(0)
    expect(counting.result).toBe(7)
  })
})

describe('close', () => {
  test('waits for the confirmations of what was sent, and refuses what comes after', async () => {
    const transport = await connect()
    driver.connection.onPublish = () => {}
    const sending = watch(transport.send('orders', { data: 1 }).then(() => 'sent'))
    await clock.advance(0)
    const closing = watch(transport.close())
    await clock.advance(5_000)
    expect(closing.result).toBeUndefined()
    for (const call of [
      transport.send('orders', { data: 1 }),
      transport.sendMany('orders', [{ data: 1 }]),
      transport.publishMany('events', []),
      transport.consume('orders', () => {}),
      transport.inbox(() => {}),
      transport.plan({}),
      transport.depth('orders'),
    ]) {
      await expect(call).rejects.toMatchObject({ code: 'POSTHORN_CLOSED' })
    }
    driver.connection.published[0]?.answer(['confirmed'])
    await clock.advance(0)
    expect(sending.result).toBe('sent')
    expect(closing.result).toEqual({ consumers: [], unconfirmed: 0, clean: true })
    expect(driver.connection.closes).toBe(1)
    expect(clock.pending).toBe(0)
  })

  test('ends at its deadline, and tells what became of what had no answer', async () => {
    const transport = await connect()
    driver.connection.onPublish = () => {}
    const written = watch(transport.send('orders', { data: 1 }))
    await clock.advance(0)
    driver.connection.host.blocked('no memory')
    const unwritten = watch(transport.send('orders', { data: 1 }))
    const closing = watch(transport.close({ deadlineMs: 2_000 }))
    await clock.advance(2_000)
    expect(closing.result).toEqual({ consumers: [], unconfirmed: 2, clean: false })
    expect(written.error).toMatchObject({ code: 'POSTHORN_CLOSED', outcome: 'unknown' })
    expect(unwritten.error).toMatchObject({ code: 'POSTHORN_CLOSED', outcome: 'rejected' })
    expect(clock.pending).toBe(0)
  })

  test('goes on over a new connection when its own is lost meanwhile', async () => {
    const transport = await connect()
    driver.connection.host.lost(connectionLost())
    const sending = watch(transport.send('orders', { data: 1 }).then(() => 'sent'))
    const closing = watch(transport.close())
    await clock.advance(2_000)
    expect(sending.result).toBe('sent')
    expect(closing.result?.clean).toBe(true)
  })

  test('does not wait for ever for a connection that cannot say goodbye', async () => {
    const transport = await connect()
    driver.connection.onClose = never
    const closing = watch(transport.close({ deadlineMs: 3_000 }))
    await clock.advance(2_999)
    expect(closing.result).toBeUndefined()
    await clock.advance(1)
    expect(closing.result?.clean).toBe(true)
  })

  test('answers the same to a second call, and to disposing', async () => {
    const transport = await connect()
    const first = transport.close()
    expect(transport.close({ deadlineMs: 1 })).toBe(first)
    await transport[Symbol.asyncDispose]()
    expect(driver.connection.closes).toBe(1)
    expect(transport.health().state).toBe('closed')
  })

  test('ends what waits for a connection or an answer', async () => {
    const transport = await connect()
    driver.connection.onDeclare = never
    const declaring = watch(transport.declare({ queues: [{ name: 'a' }] }))
    await clock.advance(0)
    await transport.close()
    expect(declaring.error).toMatchObject({ code: 'POSTHORN_CLOSED' })
    expect(clock.pending).toBe(0)
  })

  test('ends what is still to be restored', async () => {
    const transport = await connect()
    await transport.declare({ queues: [{ name: 'orders' }] })
    const busy = new PosthornError('POSTHORN_BROKER_ERROR', 'No leader.', {
      phase: 'declare',
      retryable: true,
    })
    driver.prepare = (connection) => {
      connection.onDeclare = () => Promise.reject(busy)
    }
    driver.connection.host.lost(connectionLost())
    await clock.runUntil(() => transport.health().state === 'up')
    expect(clock.pending).toBe(1)
    await transport.close()
    expect(clock.pending).toBe(0)
  })

  test('while there is no connection ends who waits for one', async () => {
    const transport = await connect()
    driver.script.push(...Array.from({ length: 100 }, () => () => Promise.reject(connectFailed())))
    driver.connection.host.lost(connectionLost())
    const waiting = watch(transport.plan({}))
    await clock.advance(0)
    await transport.close()
    expect(waiting.error).toMatchObject({ code: 'POSTHORN_CLOSED' })
    expect(clock.pending).toBe(0)
  })

  test('refuses a deadline that is none, and does not close for it', async () => {
    const transport = await connect()
    await expect(transport.close({ deadlineMs: -1 })).rejects.toMatchObject({
      code: 'POSTHORN_INVALID_OPTION',
    })
    expect(transport.health().state).toBe('up')
    await transport.send('orders', { data: 1 })
  })
})

test('a queue that is gone is made again with its arguments, and the whole batch sent once more', async () => {
  const transport = await connect()
  await transport.declare({ queues: [{ name: 'orders', maxMessages: 100 }] })
  const unroutable = new PosthornError('POSTHORN_UNROUTABLE', 'No queue.', {
    phase: 'publish',
    outcome: 'rejected',
  })
  let isThere = false
  driver.connection.onDeclare = async () => void (isThere = true)
  driver.connection.onPublish = (call) =>
    call.answer(call.batch.map(() => (isThere ? 'confirmed' : unroutable)))
  await transport.sendMany('orders', [{ data: 1 }, { data: 2 }, { data: 3 }])
  expect(driver.connection.declared.at(-1)?.topology).toEqual({
    queues: [{ name: 'orders', maxMessages: 100 }],
  })
  expect(driver.connection.published.map(({ batch }) => batch.length)).toEqual([3, 3])
})

test('a time, or a callback, that is none is refused by closeOnSignals', async () => {
  const transport = await connect()
  const invalid = expect.objectContaining({ code: 'POSTHORN_INVALID_OPTION' }) as Error
  expect(() => transport.closeOnSignals({ deadlineMs: -1 })).toThrow(invalid)
  expect(() => transport.closeOnSignals({ onClosed: 'log' as never })).toThrow(invalid)
  expect(process.listenerCount('SIGTERM')).toBe(0)
})

test('listeners hear of the connection until the end', async () => {
  const transport = await connect()
  const states: string[] = []
  const undo = transport.on('connection', ({ state }) => void states.push(state))
  driver.connection.host.blocked('no memory')
  driver.connection.host.blocked(undefined)
  await transport.close()
  undo()
  expect(states).toEqual(['blocked', 'up', 'closed'])
})
