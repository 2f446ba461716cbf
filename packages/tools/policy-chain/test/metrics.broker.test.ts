import { describe, expect, test, vi } from 'vitest'
import { createMetrics } from '@posthorn/metrics'
import { brokers } from './with-broker.ts'

const patience = { timeout: 20_000, interval: 20 }

const gauge = (metrics: ReturnType<typeof createMetrics>, name: string): Record<string, number> => {
  const family = metrics.families.find((one) => one.name === `posthorn_${name}`)
  return Object.fromEntries(
    (family?.read() ?? []).map(({ labels, value }) => [Object.values(labels).join(), value]),
  )
}

describe.each(brokers)('on %s', (_broker, start) => {
  const bench = start()

  test('metrics poll depths and dead letters, and count what was handled', async () => {
    const metrics = createMetrics()
    const transport = await bench.open({ publishUse: [metrics.publishUse] })
    metrics.watch(transport, { name: 'main', sources: ['waiting'], pollMs: 100 })
    await transport.sendMany('waiting', [{ data: 1 }, { data: 2 }, { data: 3 }])
    await transport.consume(
      'handled',
      ({ data }, context) => (data === 2 ? context.deadLetter({ reason: 'no' }) : undefined),
      { use: [metrics.use] },
    )
    await transport.sendMany('handled', [{ data: 1 }, { data: 2 }])
    await vi.waitFor(
      () =>
        expect(gauge(metrics, 'queue_messages')).toMatchObject({
          'waiting,ready': 3,
          'waiting,dead_lettered': 0,
          'handled,ready': 0,
          'handled,dead_lettered': 1,
        }),
      patience,
    )
    expect(gauge(metrics, 'up')).toEqual({ main: 1 })
    expect(gauge(metrics, 'poll_failures_total')).toEqual({})
    expect(metrics.getStats()).toMatchObject({
      sent: 5,
      received: 2,
      handled: 1,
      deadLettered: 1,
      inFlight: 0,
    })
  })
})
