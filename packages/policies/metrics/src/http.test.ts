import { request } from 'node:http'
import { Registry as PrometheusRegistry } from '@prometheus-io/client'
import { Registry as PromClientRegistry, Counter } from 'prom-client'
import { describe, expect, test, vi } from 'vitest'
import { memory } from '@posthorn/transport/memory'
import { createVirtualClock } from '@posthorn/transport/testing'
import { createMetrics } from './create-metrics.ts'
import { createMetricsHandler, serveMetrics } from './http.ts'
import { registerInto } from './prometheus.ts'
import type { Metrics } from './metrics.ts'
import type { ObservedBreaker } from './watch-breakers.ts'

/** Metrics of two handled messages, of half a second each. */
async function handledTwo(): Promise<Metrics> {
  const clock = createVirtualClock()
  const metrics = createMetrics()
  const transport = await memory({ clock })
  await transport.consume('orders', () => new Promise<void>((resolve) => void clock.setTimer(resolve, 500)), {
    use: [metrics.use],
  })
  await transport.sendMany('orders', [{ data: 1 }, { data: 2 }])
  await clock.advance(5_000)
  await transport.close()
  return metrics
}

describe.each([
  ['@prometheus-io/client', PrometheusRegistry],
  ['prom-client', PromClientRegistry],
] as const)('a registry of %s', (_, Registry) => {
  test('exports counters, gauges and histograms', async () => {
    const registry = new Registry()
    registerInto(registry, await handledTwo())
    const text = await registry.metrics()
    const lines = text.split('\n')
    expect(lines).toEqual(
      expect.arrayContaining([
        '# TYPE posthorn_messages_received_total counter',
        'posthorn_messages_received_total{source="orders"} 2',
        '# TYPE posthorn_processing_seconds histogram',
        'posthorn_processing_seconds_bucket{source="orders",le="0.25"} 0',
        'posthorn_processing_seconds_bucket{source="orders",le="0.5"} 2',
        'posthorn_processing_seconds_bucket{source="orders",le="+Inf"} 2',
        'posthorn_processing_seconds_sum{source="orders"} 1',
        'posthorn_processing_seconds_count{source="orders"} 2',
        'posthorn_handlers_running{source="orders"} 0',
      ]),
    )
  })

  test('exports them as OpenMetrics', async () => {
    const registry = new Registry()
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never)
    registerInto(registry, await handledTwo())
    const lines = (await registry.metrics()).split('\n')
    expect(lines).toContain('# TYPE posthorn_messages_received counter')
    expect(lines).toContain('posthorn_messages_received_total{source="orders"} 2')
    expect(lines.at(-2)).toBe('# EOF')
  })

  test('reads each metric once for each scrape', async () => {
    const registry = new Registry()
    const metrics = createMetrics()
    const counts = vi.fn<ObservedBreaker['counts']>(() => ({
      succeeded: 1,
      failed: 0,
      ignored: 0,
      rejected: 0,
      opened: 0,
    }))
    metrics.watchBreaker({ name: 'bank', state: 'closed', counts })
    registerInto(registry, metrics)
    expect(counts).not.toHaveBeenCalled()
    expect(await registry.metrics()).toContain(
      'posthorn_breaker_calls_total{breaker="bank",outcome="succeeded"} 1',
    )
    // Two metrics come from them.
    expect(counts).toHaveBeenCalledTimes(2)
  })

  test('keeps what else it has', async () => {
    const registry = new Registry()
    registry.setDefaultLabels({ app: 'shop' })
    registerInto(registry, await handledTwo())
    expect(await registry.metrics()).toContain(
      'posthorn_messages_received_total{source="orders",app="shop"} 2',
    )
    registry.resetMetrics()
    expect(await registry.metrics()).toContain(
      'posthorn_messages_received_total{source="orders",app="shop"} 2',
    )
  })
})

describe('over HTTP', () => {
  test('shows metrics, and health by the state of every transport', async () => {
    const registry = new PromClientRegistry()
    new Counter({ name: 'mine', help: 'mine', registers: [registry] }).inc()
    const transport = await memory()
    await using server = await serveMetrics({ registry, transports: [transport], port: 0 })
    const get = async (path: string, method: string = 'GET'): Promise<readonly [number, string]> => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method })
      return [response.status, await response.text()]
    }
    expect(await get('/metrics')).toEqual([200, expect.stringContaining('mine 1')])
    expect(await get('/health/live')).toEqual([200, '{"status":"live"}'])
    expect(await get('/health/ready')).toEqual([
      200,
      '{"status":"ready","transports":[{"broker":"memory","state":"up"}]}',
    ])
    expect((await get('/elsewhere'))[0]).toBe(404)
    expect((await get('/metrics', 'POST'))[0]).toBe(405)
    await transport.close()
    expect((await get('/health/ready'))[0]).toBe(503)
    expect((await get('/health/live'))[0]).toBe(200)
  })

  test.each(['TRACE', 'OPTIONS', 'DELETE'])('refuses %s, and goes on', async (method) => {
    await using server = await serveMetrics({ registry: new PromClientRegistry(), port: 0 })
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const asked = request({ port: server.port, path: '/metrics', method }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      asked.on('error', reject).end()
    })
    expect(status).toBeGreaterThanOrEqual(400)
    expect((await fetch(`http://127.0.0.1:${server.port}/metrics`)).status).toBe(200)
  })

  test('answers 500 without a word of what failed', async () => {
    const registry = { contentType: 'text/plain', metrics: () => Promise.reject(new Error('secret')) }
    await using server = await serveMetrics({ registry, port: 0 })
    const response = await fetch(`http://127.0.0.1:${server.port}/metrics`)
    expect([response.status, await response.text()]).toEqual([500, ''])
  })

  test('says which port cannot be had, and what to do', async () => {
    const registry = new PromClientRegistry()
    await using first = await serveMetrics({ registry, port: 0 })
    await expect(serveMetrics({ registry, port: first.port })).rejects.toThrow(
      `127.0.0.1:${first.port}: listen EADDRINUSE`,
    )
    await expect(serveMetrics({ registry, port: -1 })).rejects.toThrow('serveMetrics().port')
  })

  test('is a handler for any server that has requests and responses', async () => {
    const handle = createMetricsHandler({ registry: new PromClientRegistry() })
    const response = await handle(new Request('http://any/health/ready'))
    expect(await response.json()).toEqual({ status: 'ready', transports: [] })
    expect(() => createMetricsHandler({} as never)).toThrow('createMetricsHandler().registry')
  })
})
