import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tryStartRabbitmq, type RabbitmqServer } from '@posthorn/test-brokers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runDemo } from '../src/cli/run-demo.ts'

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
}

test(
  'loses, doubles and disorders nothing on RabbitMQ while its processes are killed with -9 and cut off',
  { timeout: 120_000 },
  async (context) => {
    if (server === undefined) return context.skip(reason)
    let stdout = ''
    let stderr = ''
    const out = join(folder, 'out')
    const orders = new URL('../data/orders.jsonl', import.meta.url).pathname
    const code = await runDemo({
      words: ['--broker', server.url, '--quick', '--json', '--orders', orders, '--out', out],
      signal: new AbortController().signal,
      stdout: { write: (text) => (stdout += text) },
      stderr: { write: (text) => (stderr += text) },
    })

    expect(stderr).toBe('')
    const document = JSON.parse(stdout) as Document
    expect(document).toMatchObject({
      orders: { lines: 130 },
      posthorn: { clean: true, verdict: { lost: [], chargedTwice: [], outOfOrder: 0, badUnexplained: 0 } },
      naive: { clean: false },
    })
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
