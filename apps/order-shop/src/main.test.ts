import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

vi.setConfig({ testTimeout: 30_000 })

const main = fileURLToPath(new URL('main.ts', import.meta.url))
const shipped = fileURLToPath(new URL('../data/orders.jsonl', import.meta.url))

let folder = ''
let last: Running | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'order-shop-test-'))
})
afterEach(async () => {
  last?.child.kill('SIGKILL')
  await last?.code
  rmSync(folder, { recursive: true })
})

interface Running {
  readonly child: ChildProcessWithoutNullStreams
  readonly printed: () => string
  readonly code: Promise<number | null>
}

function start(...words: string[]): Running {
  const started = spawn(process.execPath, [
    '--conditions=posthorn-source',
    main,
    '--out',
    join(folder, 'out'),
    ...words,
  ])
  let printed = ''
  started.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  const code = new Promise<number | null>((resolve) => started.once('close', resolve))
  last = { child: started, code, printed: () => printed }
  return last
}

function until({ child: { stdout }, printed }: Running, text: string): Promise<void> {
  return new Promise((resolve) => {
    stdout.on('data', () => printed().includes(text) && resolve())
  })
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s in the middle ends what is in hand and says what is left',
  async (signal) => {
    const shop = start('--orders', shipped)
    await until(shop, '/523 orders')
    shop.child.kill(signal)

    expect(await shop.code).toBe(1)
    const published = Number(/published +(\d+) of 523 orders/.exec(shop.printed())?.[1])
    expect(published).toBeGreaterThan(0)
    expect(published).toBeLessThan(523)
    expect(shop.printed()).toMatch(/still queued +\d+/)
    expect(shop.printed()).toContain('cut off       0 handlers, 0 sends without an answer')
    expect(existsSync(join(folder, 'out', 'naive'))).toBe(false)
  },
)

test('runs the orders that are piped in', async () => {
  const shop = start('--quick', '--json')
  shop.child.stdin.end(readFileSync(shipped, 'utf8').split('\n').slice(0, 40).join('\n'))

  expect(await shop.code).toBe(0)
  expect(JSON.parse(shop.printed())).toMatchObject({
    orders: { from: 'standard input', lines: 40, good: 37, bad: 3 },
    posthorn: { clean: true },
  })
})

test('is not held up by a pipe in which nothing comes', async () => {
  const shop = start('--quick')
  await until(shop, 'Faults')

  expect(shop.printed()).toContain('The order shop: 130 lines of data/orders.jsonl, seed 1')
})
