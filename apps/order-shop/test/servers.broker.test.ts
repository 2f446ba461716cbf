import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tryStartKafka, tryStartRabbitmq, type TestServer } from '@posthorn/test-brokers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runDemo } from '../src/cli/run-demo.ts'
import { processes } from '../src/services/processes.ts'

// Installing the server the first time takes as long as the network does.
const installMs = 180_000

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'order-shop-test-'))
})

afterAll(() => rmSync(folder, { recursive: true }))

interface Document {
  readonly faults: {
    readonly strikes: readonly Readonly<Record<'kind' | 'when' | 'party' | 'subject', string>>[]
  }
  readonly posthorn: { readonly restarts: number; readonly events: { readonly breakerOpened: number } }
}

/** What the processes show of themselves while they run. */
async function readMetrics(printed: string): Promise<ReadonlyMap<string, string>> {
  const addresses = [...printed.matchAll(/^ +(\S+) +(http:\S+)$/gm)]
  const pages = addresses.map(
    async ([, name = '', url = '']) => [name, await (await fetch(url)).text()] as const,
  )
  return new Map(await Promise.all(pages))
}

const crashes = ['crash', 'crash', 'crash']

describe.each([
  { name: 'RabbitMQ', start: () => tryStartRabbitmq(), faults: [...crashes, 'cut'] },
  // Its brokers give addresses of their own: there is no way through a proxy.
  { name: 'Kafka', start: () => tryStartKafka(), faults: crashes },
])('on $name', ({ name, start, faults }) => {
  let server: TestServer | undefined
  let reason: string | undefined

  beforeAll(async () => {
    ;({ server, reason } = await start())
  }, installMs)
  afterAll(() => server?.stop())

  test('nothing is lost, doubled or disordered while processes are killed with -9 and cut off', async (context) => {
    if (server === undefined) return context.skip(reason)
    let stdout = ''
    let stderr = ''
    let metrics: ReturnType<typeof readMetrics> = Promise.resolve(new Map())
    const out = join(folder, name)
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
    const { strikes } = document.faults
    expect(strikes.map(({ kind }) => kind).toSorted()).toEqual(faults)
    const happened = readdirSync(join(out, 'posthorn', 'claims')).map(decodeURIComponent)
    expect(happened).toEqual(
      expect.arrayContaining(
        strikes.map(({ kind, when, party, subject }) => [kind, when, party, subject].join(' ')),
      ),
    )
    // Of two that meet in one process at once, one kill is both.
    expect(document.posthorn.restarts).toBeGreaterThanOrEqual(1)
    expect(document.posthorn.restarts).toBeLessThanOrEqual(crashes.length)
    expect(code).toBe(0)
  }, 180_000)
})
