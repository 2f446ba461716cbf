import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tryStartRabbitmq, type RabbitmqServer } from '@posthorn/test-brokers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runDemo } from '../src/cli/run-demo.ts'
import { processes } from '../src/services/processes.ts'

// Installing the server the first time takes as long as the network does.
const installMs = 180_000

let folder = ''
let server: RabbitmqServer | undefined
let reason: string | undefined

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'order-shop-test-'))
  ;({ server, reason } = await tryStartRabbitmq())
}, installMs)

afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true })
})

interface Document {
  readonly faults: { readonly strikes: readonly { readonly kind: string }[] }
  readonly posthorn: { readonly events: { readonly breakerOpened: number } }
}

/** What the processes show of themselves while they run. */
async function readMetrics(printed: string): Promise<ReadonlyMap<string, string>> {
  const addresses = [...printed.matchAll(/^ +(\S+) +(http:\S+)$/gm)]
  const pages = addresses.map(
    async ([, name = '', url = '']) => [name, await (await fetch(url)).text()] as const,
  )
  return new Map(await Promise.all(pages))
}

test(
  'loses, doubles and disorders nothing on RabbitMQ while its processes are killed with -9 and cut off',
  { timeout: 120_000 },
  async (context) => {
    if (server === undefined) return context.skip(reason)
    let stdout = ''
    let stderr = ''
    let metrics: ReturnType<typeof readMetrics> = Promise.resolve(new Map())
    const out = join(folder, 'out')
    const orders = new URL('../data/orders.jsonl', import.meta.url).pathname
    const code = await runDemo({
      words: [
        ...['--broker', server.url, '--quick', '--json', '--orders', orders, '--out', out],
        ...['--replay', '--metrics-port', '0'],
      ],
      signal: new AbortController().signal,
      stdout: { write: (text) => (stdout += text) },
      stderr: {
        write(text) {
          stderr += text
          metrics = readMetrics(text)
        },
      },
    })
    const pages = await metrics

    expect(stderr.split('\n')[0]).toBe('Metrics of Posthorn, while it runs:')
    expect([...pages.keys()]).toEqual([...processes.keys()])
    for (const [name, page] of pages) expect(page).toContain(`posthorn_up{transport="${name}"} 1`)
    const document = JSON.parse(stdout) as Document
    expect(document).toMatchObject({
      orders: { lines: 130 },
      posthorn: {
        clean: true,
        replayed: 1,
        verdict: { lost: [], chargedTwice: [], outOfOrder: 0, badUnexplained: 0, emailsMissing: [] },
      },
      naive: { clean: false },
    })
    expect(document.posthorn.events.breakerOpened).toBeGreaterThan(0)
    expect(document).toMatchObject({
      posthorn: { restarts: document.faults.strikes.filter(({ kind }) => kind === 'crash').length },
    })
    expect(document.faults.strikes.map(({ kind }) => kind).toSorted()).toEqual([
      'crash',
      'crash',
      'crash',
      'cut',
    ])
    expect(code).toBe(0)
  },
)
