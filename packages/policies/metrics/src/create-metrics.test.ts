import { describe, expect, test } from 'vitest'
import {
  ackWith,
  PosthornError,
  type Middleware,
  type MiddlewareRuntime,
  type Transport,
} from '@posthorn/transport'
import { memory } from '@posthorn/transport/memory'
import { createVirtualClock, type VirtualClock } from '@posthorn/transport/testing'
import { createMetrics } from './create-metrics.ts'
import type { Metrics } from './metrics.ts'
import type { ObservedBreaker } from './watch-breakers.ts'

interface Bench {
  readonly clock: VirtualClock
  readonly metrics: Metrics
  readonly transport: Transport
}

async function start(metrics: Metrics = createMetrics()): Promise<Bench> {
  const clock = createVirtualClock()
  const transport = await memory({ clock, publishUse: [metrics.publishUse] })
  return { clock, metrics, transport }
}

const noCounts = { succeeded: 0, failed: 0, ignored: 0, rejected: 0, opened: 0 }

/** Values of one metric by its labels, written as `a,b`. */
function values(metrics: Metrics, name: string): Record<string, number> {
  const family = metrics.families.find((one) => one.name === `posthorn_${name}`)
  if (family === undefined) throw new Error(`There is no posthorn_${name}.`)
  return Object.fromEntries(family.read().map(({ labels, value }) => [Object.values(labels).join(), value]))
}

describe('metrics', () => {
  test('count what is sent and how it ends', async () => {
    const { metrics, transport, clock } = await start()
    await transport.send('orders', { data: 1 })
    await transport.sendMany('orders', [{ data: 2 }, { data: 3 }])
    await expect(transport.send('orders', { data: 1n })).rejects.toThrow('BigInt')
    await transport.declare({ queues: [{ name: 'small', maxMessages: 1 }] })
    await expect(transport.sendMany('small', [{ data: 1 }, { data: 2 }])).rejects.toThrow('1 of 2')
    await clock.advance(0)
    expect(values(metrics, 'messages_sent_total')).toEqual({
      'orders,confirmed': 3,
      'orders,rejected': 1,
      'small,confirmed': 1,
      'small,rejected': 1,
    })
    expect(metrics.getStats()).toMatchObject({ sent: 4, sendFailed: 2 })
    await transport.close()
  })

  test('count what is handled, by its outcome, with every hand-out', async () => {
    const { metrics, transport, clock } = await start()
    metrics.watch(transport)
    const answers = ['ack', 'throw', 'release', 'retry', 'deadLetter']
    await transport.sendMany(
      'orders',
      answers.map((data) => ({ data })),
    )
    await transport.consume(
      'orders',
      async ({ data }, context) => {
        if (context.deliveries > 1) return undefined
        if (data === 'throw') throw new Error('no')
        if (data === 'release') return context.release()
        if (data === 'retry') return context.retry()
        return data === 'deadLetter' ? context.deadLetter({ reason: 'mine' }) : undefined
      },
      { use: [metrics.use] },
    )
    await clock.advance(60_000)
    expect(values(metrics, 'messages_handled_total')).toEqual({
      'orders,ack': 4,
      'orders,release': 1,
      'orders,retry': 2,
      'orders,dead_letter': 1,
      'orders,repeated': 0,
    })
    expect(values(metrics, 'messages_received_total')).toEqual({ orders: 8 })
    expect(values(metrics, 'messages_redelivered_total')).toEqual({ orders: 3 })
    expect(values(metrics, 'attempts_repeated_total')).toEqual({ orders: 2 })
    expect(values(metrics, 'dead_letters_total')).toEqual({ 'orders,handler': 1 })
    expect(values(metrics, 'events_total')).toEqual({ 'orders,retried': 2 })
    expect(metrics.getStats()).toMatchObject({
      received: 8,
      handled: 4,
      failed: 2,
      released: 1,
      deadLettered: 1,
      inFlight: 0,
    })
    await transport.close()
  })

  test('tell what had been done before from what is done', async () => {
    const { metrics, transport, clock } = await start()
    const once: Middleware = {
      name: 'once',
      phase: 'once',
      wrap: (next) => (message, context) =>
        message.data === 1 ? ackWith('done', true) : next(message, context),
    }
    await transport.consume('orders', () => 'done', { use: [metrics.use, once] })
    await transport.sendMany('orders', [{ data: 1 }, { data: 2 }])
    await clock.advance(10)
    expect(values(metrics, 'messages_handled_total')).toMatchObject({ 'orders,ack': 1, 'orders,repeated': 1 })
    const { handled, repeated, processing, latency } = metrics.getStats()
    expect([handled, repeated, processing.count, latency.count]).toEqual([1, 1, 1, 1])
    await transport.close()
  })

  test('time handlers, and messages without the delay that was asked for', async () => {
    const { metrics, transport, clock } = await start()
    const before = clock.now()
    await transport.consume(
      'orders',
      () => new Promise<void>((resolve) => void clock.setTimer(resolve, 2_000)),
      { use: [metrics.use] },
    )
    void transport.send('orders', { data: 1, delayMs: 3_600_000 })
    await clock.advance(3_601_000)
    expect(metrics.getStats()).toMatchObject({ inFlight: 1, received: 1, handled: 0 })
    await clock.advance(10_000)
    const { processing, latency } = metrics.getStats()
    expect(processing).toEqual({ count: 1, meanMs: 2_000, p50Ms: 2_500, p99Ms: 2_500 })
    expect(latency.count).toBe(1)
    expect(latency.meanMs).toBeGreaterThanOrEqual(2_000)
    expect(latency.meanMs).toBeLessThan(3_000)
    expect(clock.now() - before).toBeGreaterThan(3_600_000)
    await transport.close()
  })

  test('time only what succeeded, and only first attempts from their sender', async () => {
    const { metrics, transport, clock } = await start()
    await transport.consume(
      'orders',
      (_, { attempt }) => {
        if (attempt === 1) throw new Error('not yet')
      },
      { use: [metrics.use], retryDelay: () => 1_000 },
    )
    void transport.send('orders', { data: 1 })
    await clock.advance(10_000)
    const { processing, latency } = metrics.getStats()
    expect([processing.count, latency.count]).toEqual([1, 0])
    await transport.close()
  })

  test('leave what a handler answers, and what it throws, as it is', async () => {
    const { metrics } = await start()
    const runtime = { source: 'orders', clock: createVirtualClock() } as never
    const context = { attempt: 1, deliveries: 1 } as never
    const settled = { verb: 'ack', value: 7 } as never
    expect(metrics.use.wrap(() => settled, runtime)({} as never, context)).toBe(settled)
    await expect(
      metrics.use.wrap(() => Promise.resolve(settled), runtime)({} as never, context),
    ).resolves.toBe(settled)
    const error = new Error('mine')
    const thrower = metrics.use.wrap(() => {
      throw error
    }, runtime)
    expect(() => thrower({} as never, context)).toThrow(error)
    await expect(metrics.use.wrap(() => Promise.reject(error), runtime)({} as never, context)).rejects.toBe(
      error,
    )
  })

  test('show the connection and the depths', async () => {
    const { metrics, transport, clock } = await start()
    await transport.declare({ queues: [{ name: 'bills' }] })
    const stop = metrics.watch(transport, { name: 'main', sources: ['bills'], pollMs: 1_000 })
    const consumer = await transport.consume('orders', () => undefined)
    consumer.pause()
    await transport.send('orders', { data: 1 })
    await transport.send('bills', { data: 1 })
    await clock.advance(1_500)
    expect(values(metrics, 'queue_messages')).toMatchObject({ 'orders,ready': 1, 'bills,ready': 1 })
    expect(values(metrics, 'queue_oldest_age_seconds')['bills']).toBeGreaterThan(0.9)
    expect(values(metrics, 'up')).toEqual({ main: 1 })
    const stopping = consumer.stop()
    await clock.advance(1_500)
    await stopping
    expect(Object.keys(values(metrics, 'queue_messages')).filter((key) => key.startsWith('orders'))).toEqual(
      [],
    )
    expect(values(metrics, 'queue_messages')).toMatchObject({ 'bills,ready': 1 })
    stop()
    await clock.advance(5_000)
    expect(values(metrics, 'queue_messages')).toEqual({})
    await transport.close()
  })

  test('show nothing of a source whose depth comes after watching has stopped', async () => {
    const { metrics, transport, clock } = await start()
    const slow: Transport = Object.assign(Object.create(transport) as Transport, {
      depth: async (source: string) => {
        await new Promise<void>((resolve) => void clock.setTimer(resolve, 100))
        return transport.depth(source)
      },
    })
    await transport.declare({ queues: [{ name: 'bills' }] })
    const stop = metrics.watch(slow, { sources: ['bills'] })
    await clock.advance(50)
    stop()
    await clock.advance(1_000)
    expect(values(metrics, 'queue_messages')).toEqual({})
    await transport.close()
  })

  test('show how far a group is behind on a log, and no age where the broker has none', async () => {
    const { metrics, transport, clock } = await start()
    const depth = { ready: 7, delayed: undefined, inFlight: 0, deadLettered: 2, oldestAgeMs: undefined }
    const log: Transport = Object.assign(Object.create(transport) as Transport, {
      depth: () => Promise.resolve({ ...depth, lag: 7 }),
    })
    metrics.watch(log, { sources: [{ topic: 'events', group: 'billing' }] })
    await clock.advance(1)
    expect(values(metrics, 'consumer_lag_messages')).toEqual({ 'events/billing': 7 })
    expect(values(metrics, 'queue_oldest_age_seconds')).toEqual({})
    expect(values(metrics, 'queue_messages')).toEqual({
      'events/billing,ready': 7,
      'events/billing,in_flight': 0,
      'events/billing,dead_lettered': 2,
    })
    await transport.close()
  })

  test('show what no handler sees, such as a lost lease', async () => {
    const { metrics, transport } = await start()
    metrics.watch(transport)
    let emit: MiddlewareRuntime['emit'] | undefined
    const spy: Middleware = {
      name: 'spy',
      phase: 'observe',
      wrap: (next, runtime) => {
        emit = runtime.emit
        return next
      },
    }
    await transport.consume('orders', () => undefined, { use: [spy] })
    const about = { id: '1', type: 'orders', source: 'orders' }
    emit?.('leaseLost', { ...about, error: new PosthornError('POSTHORN_LEASE_LOST', 'gone') })
    emit?.('handlerTimedOut', { ...about, timeoutMs: 1 })
    emit?.('handlerTimedOut', { ...about, timeoutMs: 1 })
    emit?.('returned', { destination: 'bills', id: '1', type: 'bills' })
    for (const reason of ['not-retryable', 'order 17 is bad', 'order 18 is bad'])
      emit?.('deadLettered', { ...about, reason, attempts: 1, error: undefined })
    expect(values(metrics, 'dead_letters_total')).toEqual({ 'orders,not_retryable': 1, 'orders,handler': 2 })
    expect(values(metrics, 'events_total')).toEqual({
      'orders,lease_lost': 1,
      'orders,handler_timed_out': 2,
      'bills,returned': 1,
    })
    await transport.close()
  })

  test('show the state and the counts of breakers, as they are when they are read', () => {
    const metrics = createMetrics()
    const counts = { succeeded: 5, failed: 4, ignored: 3, rejected: 2, opened: 1 }
    const breaker: { -readonly [Name in keyof ObservedBreaker]: ObservedBreaker[Name] } = {
      name: 'bank',
      state: 'closed',
      counts: () => counts,
    }
    metrics.watchBreaker(breaker)
    metrics.watchBreaker({ ...breaker, name: 'mail', state: 'isolated' })
    const stateOfBank = (): number | undefined => values(metrics, 'breaker_state')['bank']
    expect(stateOfBank()).toBe(0)
    breaker.state = 'half-open'
    expect(stateOfBank()).toBe(0.5)
    breaker.state = 'open'
    counts.opened = 2
    expect(values(metrics, 'breaker_state')).toEqual({ bank: 1, mail: 1 })
    expect(values(metrics, 'breaker_opened_total')).toEqual({ bank: 2, mail: 2 })
    expect(values(metrics, 'breaker_calls_total')).toMatchObject({
      'bank,succeeded': 5,
      'bank,failed': 4,
      'bank,ignored': 3,
      'bank,rejected': 2,
    })
  })

  test('count and time anything else by run, and leave its answer and its error as they are', async () => {
    const clock = createVirtualClock()
    const metrics = createMetrics({ clock })
    const slow = (): Promise<string> =>
      new Promise((resolve) => void clock.setTimer(() => resolve('done'), 2_000))
    const running = metrics.run('refunds', slow)
    expect(metrics.getStats()).toMatchObject({ received: 1, inFlight: 1 })
    await clock.advance(2_000)
    await expect(running).resolves.toBe('done')
    const error = new Error('mine')
    await expect(metrics.run('refunds', () => Promise.reject(error))).rejects.toBe(error)
    const failing = metrics.run('refunds', () => {
      throw error
    })
    await expect(failing).rejects.toBe(error)
    expect(values(metrics, 'messages_handled_total')).toEqual({ 'refunds,ack': 1, 'refunds,retry': 2 })
    const { processing, inFlight, received } = metrics.getStats()
    expect([processing.count, processing.meanMs, inFlight, received]).toEqual([1, 2_000, 0, 3])
  })

  test('do not show what could not be read any more, and stop with the transport', async () => {
    const { metrics, transport, clock } = await start()
    metrics.watch(transport, { sources: ['nowhere/nobody'], pollMs: 1_000 })
    await clock.advance(1_500)
    expect(values(metrics, 'poll_failures_total')['nowhere/nobody']).toBeGreaterThan(0)
    expect(values(metrics, 'queue_messages')).toEqual({})
    await transport.close()
    const failures = values(metrics, 'poll_failures_total')
    expect(values(metrics, 'up')).toEqual({ memory: 0 })
    expect(values(metrics, 'connection_changes_total')).toEqual({ 'memory,closed': 1 })
    await clock.advance(10_000)
    expect(values(metrics, 'poll_failures_total')).toEqual(failures)
    expect(clock.pending).toBe(0)
  })

  test('poll nothing of a transport that is closed already', async () => {
    const { metrics, transport, clock } = await start()
    await transport.close()
    metrics.watch(transport, { sources: ['orders'] })
    await clock.advance(60_000)
    expect(values(metrics, 'up')).toEqual({ memory: 0 })
    expect(values(metrics, 'poll_failures_total')).toEqual({})
    expect(clock.pending).toBe(0)
  })

  test('hold 200 series at most and no more memory, with a million ids, errors and topics', async () => {
    const metrics = createMetrics()
    const clock = createVirtualClock()
    const runtime = { source: 'orders', clock } as never
    let index = 0
    const handle = metrics.use.wrap(() => {
      if (index % 2 === 0) throw new Error(`error ${index}`)
      return { verb: 'ack' } as never
    }, runtime)
    const send = metrics.publishUse.wrap(
      () => (index % 3 === 0 ? Promise.reject(new Error(`error ${index}`)) : Promise.resolve()),
      clock,
    )
    const context = { attempt: 1, deliveries: 1, dueAt: 0 } as never
    for (let breaker = 0; breaker < 50; breaker += 1)
      metrics.watchBreaker({ name: `breaker-${breaker}`, state: 'open', counts: () => noCounts })
    const pass = async (count: number): Promise<void> => {
      for (const end = index + count; index < end; index += 1) {
        try {
          void handle({ id: `id-${index}` } as never, context)
        } catch {
          // Its own.
        }
        await send({
          kind: 'publish',
          destination: `topic-${index}`,
          messages: [{ data: index }],
          options: undefined,
        }).catch(() => undefined)
      }
    }
    await pass(1_000)
    const first = metrics.families.flatMap((family) => family.read()).length
    await pass(1_000_000)
    const series = metrics.families.flatMap((family) => family.read())
    // Each series is a few numbers, and there is nothing else that could grow.
    expect(series.length).toBe(first)
    expect(series.length).toBeLessThanOrEqual(200)
    expect(metrics.getStats()).toMatchObject({ received: 1_001_000, handled: 500_500, failed: 500_500 })
    const sent = Object.entries(values(metrics, 'messages_sent_total'))
    expect(sent.reduce((sum, [, count]) => sum + count, 0)).toBe(1_001_000)
    expect(Object.fromEntries(sent)['other,confirmed']).toBeGreaterThan(600_000)
  }, 30_000)

  test('refuse options that cannot work', async () => {
    const { metrics, transport } = await start()
    expect(() => createMetrics({ maxSeries: 1 })).toThrow('createMetrics().maxSeries')
    expect(() => createMetrics({ clock: {} as never })).toThrow('createMetrics().clock')
    expect(() => metrics.watch(transport, { pollMs: 0 })).toThrow('watch().pollMs')
    expect(() => metrics.watch({} as never)).toThrow('watch()')
    for (const breaker of [undefined, {}, { name: 'bank', state: 'open' }])
      expect(() => metrics.watchBreaker(breaker as never)).toThrow('watchBreaker().breaker')
    await transport.close()
  })
})
