import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { Registry } from '@prometheus-io/client'
import { expect, test, vi } from 'vitest'
import { memory } from '@posthorn/transport/memory'
import { createMetrics, registerInto, serveMetrics } from '@posthorn/metrics'
import { tryFindPromtool, tryStartPrometheus } from '@posthorn/test-brokers'

const folder = new URL('../', import.meta.url)
const alertsFile = new URL('prometheus/alerts.yaml', folder)
const patience = { timeout: 20_000, interval: 250 }

interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [number, string]
}

interface Dashboard {
  readonly panels: readonly {
    readonly title: string
    readonly targets: readonly { readonly expr: string }[]
  }[]
}

test('the alert rules are valid, and fire when they have to', async (context) => {
  const { server: promtool, reason } = await tryFindPromtool()
  if (reason !== undefined) return context.skip(reason)
  const run = promisify(execFile)
  const cwd = new URL('prometheus/', folder)
  const checked = await run(promtool, ['check', 'rules', 'alerts.yaml'], { cwd })
  expect(checked.stdout).toContain('SUCCESS: 10 rules found')
  // It says what differs, and ends with another code than 0.
  await expect(run(promtool, ['test', 'rules', 'alerts.test.yaml'], { cwd })).resolves.toBeDefined()
}, 60_000)

test('a Prometheus that scrapes a worker has data for every panel, and fires an alert', async (context) => {
  const metrics = createMetrics()
  const registry = new Registry()
  registerInto(registry, metrics)
  const transport = await memory({ publishUse: [metrics.publishUse] })
  await using _closing = { [Symbol.asyncDispose]: async () => void (await transport.close()) }
  await using served = await serveMetrics({ registry, transports: [transport], port: 0 })

  metrics.watch(transport, { pollMs: 200 })
  metrics.watchBreaker({
    name: 'payments',
    state: 'half-open',
    counts: () => ({ succeeded: 9, failed: 5, ignored: 0, rejected: 3, opened: 1 }),
  })
  await transport.consume(
    'orders',
    ({ data }, context) => {
      if (data === 'flaky' && context.attempt === 1) throw new Error('once')
      return data === 'bad' ? context.deadLetter({ reason: 'bad' }) : undefined
    },
    { use: [metrics.use], retryDelay: () => 0 },
  )

  // In the file they wait for minutes, so as not to wake anybody for nothing.
  const rules = (await readFile(alertsFile, 'utf8')).replaceAll(/for: \d+m/g, 'for: 0s')
  const { server, reason } = await tryStartPrometheus({ scrapes: [served.port], rules })
  if (reason !== undefined) return context.skip(reason)
  await using _stopping = { [Symbol.asyncDispose]: () => server.stop() }

  const ask = async <Answer>(path: string): Promise<Answer> => {
    const response = await fetch(`${server.url}/api/v1/${path}`)
    const { status, data, error } = (await response.json()) as {
      status: string
      data: Answer
      error?: string
    }
    if (status !== 'success') throw new Error(`${path}: ${error}`)
    return data
  }
  const query = async (expression: string): Promise<readonly Sample[]> =>
    (await ask<{ result: readonly Sample[] }>(`query?query=${encodeURIComponent(expression)}`)).result

  const { panels } = JSON.parse(
    await readFile(new URL('grafana/dashboard.json', folder), 'utf8'),
  ) as Dashboard
  const expressions = panels
    // A log has a lag; the in-memory broker is none.
    .filter(({ title }) => title !== 'Consumer lag')
    .flatMap(({ targets }) => targets.map(({ expr }) => expr))
    .map((expr) => expr.replaceAll('$__rate_interval', '10s').replaceAll('$source', '.*'))
  await vi.waitFor(async () => {
    await transport.sendMany('orders', [{ data: 'good' }, { data: 'bad' }, { data: 'flaky' }])
    const answers = await Promise.all(expressions.map((expression) => query(expression)))
    expect(expressions.filter((_, index) => answers[index]?.length === 0)).toEqual([])
  }, patience)
  const [received] = await query('rate(posthorn_messages_received_total[10s])')
  expect(Number(received?.value[1])).toBeGreaterThan(0)

  await vi.waitFor(async () => {
    const { alerts } = await ask<{ alerts: readonly { state: string; labels: Record<string, string> }[] }>(
      'alerts',
    )
    expect(alerts).toContainEqual(
      expect.objectContaining({
        state: 'firing',
        labels: expect.objectContaining({ alertname: 'PosthornDeadLetters', source: 'orders' }),
      }),
    )
    expect(alerts.filter(({ labels }) => labels['alertname'] === 'PosthornBrokerDown')).toEqual([])
  }, patience)
}, 120_000)
