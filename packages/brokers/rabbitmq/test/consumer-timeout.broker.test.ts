import { beforeEach, describe, expect, test, vi } from 'vitest'
import { fixed } from '@posthorn/transport'
import { version, withRabbitmq } from './with-rabbitmq.ts'

/** The server ends what holds a delivery for longer. Milliseconds. */
const consumerTimeoutMs = 6_000
const patience = { timeout: 30_000, interval: 20 }

describe(`consumer_timeout of RabbitMQ ${version}`, () => {
  const bench = withRabbitmq(async () => ({ config: { consumer_timeout: consumerTimeoutMs } }))

  // It looks once a minute otherwise; not all versions have that in their configuration file.
  beforeEach(async () => {
    await bench.server.ctl('eval', 'application:set_env(rabbit, channel_tick_interval, 500).')
  })

  test.each(['none', 'key'] as const)(
    'a handler is aborted and its message retried before that, with order "%s", and its neighbours do not suffer',
    async (order) => {
      const queue = bench.name('orders')
      const transport = await bench.open({ maxHoldMs: 3_000 })
      const events: string[] = []
      for (const name of ['rebuilt', 'leaseLost', 'handlerTimedOut'] as const)
        transport.on(name, () => events.push(name))
      const seen: string[] = []
      await transport.consume(
        queue,
        ({ data }, { attempt, signal }) => {
          seen.push(`${String(data)} ${attempt}`)
          if (data !== 'slow' || attempt > 1) return
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('late'))))
        },
        { order, concurrency: 4, retryDelay: fixed(10), handlerTimeoutMs: 3_000 },
      )
      await transport.send(queue, { data: 'slow', key: 'a' })
      await vi.waitFor(() => expect(seen).toHaveLength(1), patience)
      await transport.sendMany(
        queue,
        ['x', 'y', 'z'].map((data) => ({ data, key: data })),
      )
      await vi.waitFor(() => expect(seen).toContain('slow 2'), patience)
      // By now the server would have ended it.
      await transport.send(queue, { data: 'last', delayMs: consumerTimeoutMs })
      await vi.waitFor(() => expect(seen).toContain('last 1'), patience)
      expect(seen.toSorted()).toEqual(['last 1', 'slow 1', 'slow 2', 'x 1', 'y 1', 'z 1'])
      expect(events).toEqual(['handlerTimedOut'])
    },
    40_000,
  )

  test.each(['none', 'key'] as const)(
    'where the server ends it first, with order "%s", the consumer is set up anew and nothing is lost',
    async (order) => {
      const queue = bench.name('orders')
      const transport = await bench.open({ maxHoldMs: 600_000 })
      const events: string[] = []
      for (const name of ['rebuilt', 'leaseLost'] as const) transport.on(name, () => events.push(name))
      const seen: string[] = []
      const ended = new Set<string>()
      await transport.consume(
        queue,
        ({ data, id }, { signal }) => {
          const isFirst = !seen.includes(String(data))
          seen.push(String(data))
          if (data !== 'slow' || !isFirst) return void ended.add(id)
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('lost'))))
        },
        { order, concurrency: 4, retryDelay: fixed(10) },
      )
      await transport.sendMany(
        queue,
        ['slow', 'x', 'y'].map((data) => ({ data, id: data, key: data })),
      )
      await vi.waitFor(() => expect([...ended].toSorted()).toEqual(['slow', 'x', 'y']), patience)
      await vi.waitFor(() => expect(events).toContain('rebuilt'), patience)
      expect(events).toContain('leaseLost')
      await transport.send(queue, { data: 'after', id: 'after' })
      await vi.waitFor(() => expect(ended.has('after')).toBe(true), patience)
    },
    60_000,
  )

  test('a handler that may take longer than a delivery may be held is refused, with what to do', async () => {
    const transport = await bench.open({ maxHoldMs: 3_000 })
    const refused = transport.consume(bench.name('orders'), () => undefined, { handlerTimeoutMs: 3_001 })
    await expect(refused).rejects.toThrow(/3001.*3000 ms.*maxHoldMs.*consumer_timeout/s)
    await expect(refused).rejects.toMatchObject({ code: 'POSTHORN_UNSUPPORTED' })
  })
})
