import { describe, expect, test, vi } from 'vitest'
import { createBreaker } from '@posthorn/circuit-breaker'
import { retry } from '@posthorn/dlq-retry'
import type { OutgoingMessage } from '@posthorn/transport'
import { brokers, withRabbitmq } from './with-broker.ts'

const patience = { timeout: 20_000, interval: 20 }

const all: typeof brokers = [...brokers, ['RabbitMQ 4.3', () => withRabbitmq('4.3')]]

describe.each(all)('on %s', (_broker, start) => {
  const bench = start()

  test('an open breaker holds one type back while another flows, and spends no attempt', async () => {
    const transport = await bench.open()
    const bank = createBreaker({ name: 'bank', minimumCalls: 3, resetMs: 500, jitter: 'none' })
    let isDown = true
    const paid = new Map<unknown, number>()
    const mailed: unknown[] = []
    await transport.consume(
      'orders',
      ({ type, data }, { attempt }) => {
        if (type === 'mail') return void mailed.push(data)
        if (isDown) throw new Error('503')
        paid.set(data, attempt)
      },
      {
        use: [retry({ backoff: 100, jitter: 'none' }), bank.consume({ types: 'pay' })],
        concurrency: 1,
        // A backlog that is larger than half of it goes back for up to a minute.
        prefetch: 40,
      },
    )
    const several = (count: number, type: string): OutgoingMessage[] =>
      Array.from({ length: count }, (_, data) => ({ data, type }))
    await transport.sendMany('orders', several(12, 'pay'))
    await vi.waitFor(() => expect(bank.counts().opened).toBeGreaterThan(0), patience)
    await transport.sendMany('orders', several(30, 'mail'))
    await vi.waitFor(() => expect(mailed).toHaveLength(30), patience)
    // It has tried again, in vain, and knows better than to spend attempts on that.
    await vi.waitFor(() => expect(bank.counts().opened).toBeGreaterThan(2), patience)
    expect([paid.size, transport.health().state]).toEqual([0, 'up'])
    isDown = false
    await vi.waitFor(() => expect(paid.size).toBe(12), { ...patience, timeout: 60_000 })
    const spent = [...paid.values()].reduce((sum, attempt) => sum + attempt - 1, 0)
    expect(spent).toBe(3)
    expect(await transport.deadLetters('orders').count()).toBe(0)
  }, 120_000)
})
