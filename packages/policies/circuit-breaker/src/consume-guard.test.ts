import { ackWith, fixed, type ConsumeOptions, type Middleware, type Transport } from '@posthorn/transport'
import { createMemoryBroker, type MemoryBroker, type MemoryBrokerOptions } from '@posthorn/transport/memory'
import { createVirtualClock, type VirtualClock } from '@posthorn/transport/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { createBreaker, type Breaker, type BreakerOptions } from './index.ts'

interface Handled {
  readonly type: string
  readonly data: number
  readonly attempt: number
  readonly at: number
  readonly failed: boolean
}

let clock: VirtualClock
let broker: MemoryBroker
let transport: Transport
let breaker: Breaker
let isDown: boolean
let handled: Handled[]
let deadLettered: string[]
let retried: number

const start = async (
  options: Partial<BreakerOptions> = {},
  memory: MemoryBrokerOptions = {},
): Promise<void> => {
  clock = createVirtualClock()
  broker = createMemoryBroker({ clock, ...memory })
  transport = await broker.connect()
  watch(transport)
  breaker = createBreaker({
    name: 'bank',
    clock,
    minimumCalls: 4,
    resetMs: 10_000,
    jitter: 'none',
    ...options,
  })
  isDown = false
  handled = []
  deadLettered = []
  retried = 0
}

const watch = (one: Transport): void => {
  one.on('deadLettered', ({ id }) => deadLettered.push(id))
  one.on('retried', () => retried++)
}

beforeEach(() => start())

const needsBank = (type: string): boolean => type.startsWith('pay')

/** A worker whose handlers of `pay…` need the bank. */
const work = (options: ConsumeOptions = {}, one = transport, types?: string[]): Promise<unknown> =>
  one.consume<number>(
    'orders',
    ({ type, data }, { attempt }) => {
      const failed = isDown && needsBank(type)
      handled.push({ type, data, attempt, at: clock.now(), failed })
      if (failed) throw new Error('bank is down')
    },
    {
      use: [breaker.consume(types === undefined ? {} : { types })],
      retryDelay: fixed(1_000),
      concurrency: 4,
      ...options,
    },
  )

const send = (count: number, type: string, from = 0): Promise<void> =>
  transport.sendMany(
    'orders',
    Array.from({ length: count }, (_, index) => ({
      id: `${type}-${from + index}`,
      type,
      data: from + index,
      key: 'k',
    })),
  )

const failures = (): Handled[] => handled.filter((one) => one.failed)
const done = (type: string): number[] =>
  handled
    .filter((one) => one.type === type && !one.failed)
    .map(({ data }) => data)
    .toSorted((a, b) => a - b)
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

describe('while the dependency is down', () => {
  test('messages wait, spend no attempt, and are handled once it is back', async () => {
    await work({ maxAttempts: 2 })
    isDown = true
    await send(100, 'pay')
    await clock.advance(10 * 60_000)
    // Those by which it was found out, and one trial at a time since.
    expect(breaker.counts().opened).toBeGreaterThan(2)
    expect(failures().length).toBe(4 + breaker.counts().opened - 1)
    expect([retried, deadLettered]).toEqual([4, []])
    isDown = false
    await clock.advance(30 * 60_000)
    expect(done('pay')).toEqual(numbers(100))
    expect([deadLettered, breaker.state]).toEqual([[], 'closed'])
    for (const { attempt } of handled) expect(attempt).toBeLessThanOrEqual(2)
  })

  test('other types flow', async () => {
    await work({}, transport, ['pay', 'pay.back'])
    isDown = true
    await send(50, 'pay')
    await send(50, 'pay.back')
    await clock.advance(1_000)
    expect(breaker.state).toBe('open')
    const before = failures().length
    await send(500, 'mail')
    await clock.advance(5_000)
    expect(done('mail')).toEqual(numbers(500))
    expect([breaker.state, failures().length]).toEqual(['open', before])
    isDown = false
    await clock.advance(30 * 60_000)
    expect([done('pay'), done('pay.back')]).toEqual([numbers(50), numbers(50)])
    expect([deadLettered, breaker.counts().rejected]).toEqual([[], 0])
  })

  test('trial calls are single messages, however many could start', async () => {
    await work({ concurrency: 50, prefetch: 200, maxAttempts: 3 })
    isDown = true
    await send(300, 'pay')
    await clock.advance(1_000)
    const found = failures().length
    expect(found).toBe(4)
    for (let trial = 1; trial <= 3; trial++) {
      await clock.runUntil(() => breaker.counts().opened > trial)
      expect(failures().length).toBe(found + trial)
    }
    // No other was begun and sent back.
    expect(breaker.counts().rejected).toBe(0)
    expect(deadLettered).toEqual([])
  })

  test('no message is begun in vain, though many wait in the consumer', async () => {
    await transport.consume(
      'orders',
      () => new Promise((_, reject) => void clock.setTimer(() => reject(new Error('down')), 100)),
      { use: [breaker.consume({ types: ['pay'] })], concurrency: 10, prefetch: 40, retryDelay: fixed(1_000) },
    )
    await send(100, 'pay')
    await clock.advance(10 * 60_000)
    expect(breaker.counts().opened).toBeGreaterThan(3)
    expect(breaker.counts().rejected).toBe(0)
  })

  test('as many trial calls as it is told are made, and no more', async () => {
    await start({ probes: 3 })
    await work({ concurrency: 20 })
    isDown = true
    await send(100, 'pay')
    await clock.advance(1_000)
    const found = failures().length
    await clock.runUntil(() => breaker.counts().opened > 1)
    // Two of three are half of them or more, and the third may have begun.
    expect(failures().length - found).toBeGreaterThanOrEqual(2)
    expect(failures().length - found).toBeLessThanOrEqual(3)
  })

  test('failures that were under way when it opened spend no attempt either', async () => {
    await transport.consume(
      'orders',
      () => new Promise((_, reject) => void clock.setTimer(() => reject(new Error('down')), 100)),
      { use: [breaker.consume()], concurrency: 50, maxAttempts: 1 },
    )
    await send(50, 'pay')
    await clock.advance(1_000)
    expect(deadLettered.length).toBe(4)
    expect(breaker.counts()).toMatchObject({ opened: 1, late: 46 })
  })

  test('several consumers, of several sources and processes, wait together', async () => {
    const other = await broker.connect()
    watch(other)
    await work()
    await work({}, other)
    let refunds = 0
    await transport.consume(
      'refunds',
      () => {
        refunds++
      },
      { use: [breaker.consume()] },
    )
    isDown = true
    await send(20, 'pay')
    await clock.advance(1_000)
    await transport.send('refunds', { data: 1 })
    await clock.advance(5_000)
    expect([breaker.state, refunds]).toEqual(['open', 0])
    isDown = false
    await clock.advance(10 * 60_000)
    expect([done('pay'), refunds, deadLettered]).toEqual([numbers(20), 1, []])
  })

  test('a consumer that starts meanwhile waits, too', async () => {
    breaker.isolate()
    await work()
    await send(5, 'pay')
    await clock.advance(60_000)
    expect(handled).toEqual([])
    breaker.reset()
    await clock.advance(1_000)
    expect(done('pay')).toEqual(numbers(5))
  })

  test('keys stay in order', async () => {
    await work({ order: 'key', maxAttempts: 5 })
    isDown = true
    await send(10, 'pay')
    await clock.advance(5 * 60_000)
    isDown = false
    await clock.advance(60 * 60_000)
    const order = handled.filter((one) => !one.failed).map(({ data }) => data)
    expect([order, deadLettered]).toEqual([numbers(10), []])
  })

  test.each<[string, MemoryBrokerOptions]>([
    ['counts releases', { release: 'counted' }],
    ['cannot delay', { delay: false }],
    ['has leases of sessions', { lease: { scope: 'session' } }],
    ['has fixed windows', { flow: 'fixed' }],
    ['is split into shards', { shards: 3 }],
    ['answers no settlement', { confirm: 'sent' }],
  ])('nothing is lost or dead-lettered on a broker that %s', async (_, memory) => {
    await start({}, memory)
    await work({}, transport, ['pay'])
    isDown = true
    await send(40, 'pay')
    await send(40, 'mail')
    await clock.advance(3 * 60_000)
    isDown = false
    await clock.advance(60 * 60_000)
    expect([done('pay'), done('mail'), deadLettered]).toEqual([numbers(40), numbers(40), []])
  })
})

describe('a trial call', () => {
  test('that hangs opens it again, and its message is not lost', async () => {
    await start({ maxProbeMs: 20_000 })
    let hangs = false
    const answered: number[] = []
    await transport.consume<number>(
      'orders',
      ({ data }) => {
        if (isDown) throw new Error('down')
        if (hangs) return new Promise(() => {})
        answered.push(data)
        return undefined
      },
      { use: [breaker.consume()], retryDelay: fixed(1_000), handlerTimeoutMs: 60_000, concurrency: 4 },
    )
    isDown = true
    await send(10, 'pay')
    await clock.advance(1_000)
    expect(breaker.state).toBe('open')
    isDown = false
    hangs = true
    await clock.advance(10_000)
    expect(breaker.state).toBe('half-open')
    await clock.advance(20_000)
    expect(breaker.health()).toMatchObject({
      state: 'open',
      reason: '1 of 1 trial calls did not end in time',
    })
    hangs = false
    await clock.advance(30 * 60_000)
    expect(answered.toSorted((a, b) => a - b)).toEqual(numbers(10))
    expect([breaker.state, deadLettered]).toEqual(['closed', []])
  })

  test('that is released or dead-lettered says nothing, and another is made', async () => {
    const verbs = ['release', 'deadLetter', 'ack']
    await transport.consume(
      'orders',
      (_, context) => {
        if (isDown) throw new Error('down')
        const verb = verbs.shift()
        if (verb === 'release') return context.release({ delayMs: 1_000_000 })
        return verb === 'deadLetter' ? context.deadLetter({ reason: 'mine' }) : undefined
      },
      { use: [breaker.consume()], retryDelay: fixed(1_000), concurrency: 1 },
    )
    isDown = true
    await send(10, 'pay')
    await clock.advance(5_000)
    expect(breaker.state).toBe('open')
    isDown = false
    await clock.advance(60_000)
    expect([breaker.state, verbs, deadLettered.length, breaker.counts().ignored]).toEqual([
      'closed',
      [],
      1,
      2,
    ])
  })
})

describe('a message that fails by itself', () => {
  const tries: number[] = []
  /** Handlers fail for negative numbers whether the bank is there or not. */
  const bear = (options: ConsumeOptions = {}): Promise<unknown> =>
    transport.consume<number>(
      'orders',
      ({ data }, { attempt }) => {
        if (data < 0) tries.push(clock.now())
        if (isDown || data < 0) throw new Error('failed')
        handled.push({ type: 'pay', data, attempt, at: clock.now(), failed: false })
      },
      { use: [breaker.consume()], retryDelay: fixed(1_000), maxAttempts: 6, ...options },
    )
  const sendEach = (...numbersToSend: number[]): Promise<void> =>
    transport.sendMany(
      'orders',
      numbersToSend.map((data) => ({ id: `pay${data}`, data, key: `${data % 5}` })),
    )

  beforeEach(() => void tries.splice(0))

  test.each([
    { concurrency: 1 },
    { concurrency: 4 },
    { concurrency: 4, order: 'key' as const },
    { concurrency: 8, order: 'key' as const },
  ])('does not keep the breaker open for the others, and becomes a dead letter: %j', async (options) => {
    await bear(options)
    isDown = true
    // The first in line, each time.
    await sendEach(-1, -2, -3, 5, 6, 7, 8, 9, 10, 11, 12)
    await clock.advance(60_000)
    expect([breaker.state, deadLettered]).toEqual(['open', []])
    isDown = false
    await clock.advance(60 * 60_000)
    expect(done('pay')).toEqual([5, 6, 7, 8, 9, 10, 11, 12])
    // Alone, they open it again; each that succeeds lets them spend more of their attempts.
    for (let data = 13; data <= 18; data++) {
      await sendEach(data)
      await clock.advance(60 * 60_000)
    }
    expect(done('pay').at(-1)).toBe(18)
    expect([breaker.state, deadLettered.toSorted()]).toEqual(['closed', ['pay-1', 'pay-2', 'pay-3']])
  })

  test('and is alone waits as if the bank were down, tried once in each reset, until another one succeeds', async () => {
    await start({ minimumCalls: 2 })
    await bear()
    await sendEach(-1)
    await clock.advance(24 * 3_600_000)
    expect(deadLettered).toEqual([])
    // Two that opened it, then one after each reset; all but the first of them have let others go first.
    const waits = tries.slice(2).map((at, index) => at - tries[index + 1]!)
    expect(waits.slice(0, 6)).toEqual([10_000, 21_000, 41_000, 81_000, 161_000, 301_000])
    expect(waits.length).toBeLessThanOrEqual((24 * 3_600_000) / 300_000 + 5)
    // Each that succeeds closes it, and lets the other one spend as many attempts as open it again.
    for (let data = 1; data <= 3; data++) {
      await sendEach(data)
      await clock.advance(3_600_000)
    }
    expect([breaker.state, done('pay'), deadLettered]).toEqual(['closed', [1, 2, 3], ['pay-1']])
  })

  test('and is alone expires as ever', async () => {
    await start({ minimumCalls: 2 })
    await bear()
    await transport.send('orders', { data: -1, expiresAt: clock.now() + 3_600_000 })
    await clock.advance(2 * 3_600_000)
    const before = tries.length
    await clock.advance(24 * 3_600_000)
    expect(tries.length).toBe(before)
    expect(await transport.depth('orders')).toMatchObject({ ready: 0, delayed: 0, inFlight: 0 })
  })
})

describe('what does not count', () => {
  test('a message that was done before, on trial neither', async () => {
    const repeated: Middleware = {
      name: 'once',
      phase: 'once',
      wrap: (next) => (message, context) => (message.data === 0 ? ackWith(1, true) : next(message, context)),
    }
    await work({ use: [breaker.consume(), repeated], concurrency: 1 })
    await send(5, 'pay')
    await clock.advance(100)
    expect(breaker.counts()).toMatchObject({ succeeded: 4, ignored: 1 })
    isDown = true
    await send(1, 'pay', 1)
    await clock.advance(9_000)
    expect(breaker.state).toBe('open')
    await send(3, 'pay', 0)
    await clock.advance(600_000)
    expect(breaker.counts()).toMatchObject({ succeeded: 4, ignored: 2 })
    isDown = false
    await clock.advance(600_000)
    expect([breaker.state, done('pay')]).toEqual(['closed', [1, 1, 1, 2, 2, 3, 4]])
  })

  test('releases, dead letters, errors of a store, and a stop', async () => {
    await start({ minimumCalls: 1 })
    const outcomes: Middleware = {
      name: 'once',
      phase: 'once',
      wrap: () => (message, context) => {
        if (message.data === 0) return context.release({ delayMs: 1_000_000 })
        if (message.data === 1) return context.deadLetter({ reason: 'mine', error: new Error('x') })
        const down = Object.assign(new Error('store is down'), { retryable: true })
        Object.defineProperty(down, Symbol.for('posthorn.error'), { value: true })
        Object.defineProperty(down, Symbol.for('posthorn.store-error'), { value: true })
        throw down
      },
    }
    await work({ use: [breaker.consume(), outcomes], maxAttempts: 2 })
    await send(10, 'pay')
    await clock.advance(60_000)
    expect([breaker.state, breaker.counts().failed, deadLettered.length]).toEqual(['closed', 0, 9])
  })

  test('a handler that a stop breaks off', async () => {
    await start({ minimumCalls: 1 })
    const consumer = await transport.consume(
      'orders',
      (_, { signal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(new Error('aborted'))),
        ),
      { use: [breaker.consume()] },
    )
    await send(3, 'pay')
    await clock.advance(10)
    const stopped = consumer.stop({ deadlineMs: 10 })
    await clock.advance(10_000)
    await stopped
    expect([breaker.state, breaker.counts()]).toMatchObject(['closed', { ignored: 3, failed: 0 }])
  })

  test('a handler that asks for another attempt counts by the error that it names', async () => {
    await start({ minimumCalls: 2, record: (error) => error instanceof TypeError })
    await transport.consume<number>(
      'orders',
      ({ data }, context) => context.retry({ error: data < 5 ? new Error('mine') : new TypeError('bank') }),
      { use: [breaker.consume()], maxAttempts: 1, concurrency: 1 },
    )
    await send(7, 'pay')
    await clock.advance(1_000)
    expect(breaker.counts()).toMatchObject({ ignored: 5, failed: 2, opened: 1 })
  })
})

describe('the end of a consumer', () => {
  test('leaves no timer, and no pause', async () => {
    const consumer = (await work()) as { stop(): Promise<unknown> }
    isDown = true
    await send(10, 'pay')
    await clock.advance(1_000)
    expect(breaker.state).toBe('open')
    const stopped = consumer.stop()
    await clock.advance(100)
    await stopped
    const closed = transport.close()
    await clock.advance(100)
    await closed
    expect(clock.pending).toBe(0)
  })
})

test('a handler that takes too long counts, though it hangs', async () => {
  await start({ timeoutMs: 500 })
  await transport.consume('orders', () => new Promise(() => {}), { use: [breaker.consume()], concurrency: 4 })
  await send(10, 'pay')
  await clock.advance(500)
  expect(breaker.counts()).toMatchObject({ failed: 4, opened: 1 })
})

test('a handler of another type costs nothing', async () => {
  await work({}, transport, ['pay'])
  await send(10, 'mail')
  await clock.advance(100)
  expect([handled.length, breaker.counts().succeeded]).toEqual([10, 0])
})

test.each([{ types: [] }, { types: [''] }, { types: 5 }, { type: 'pay' }])('refuses %j', (options) => {
  expect(() => breaker.consume(options as never)).toThrow('consume() of breaker "bank"')
})
