import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { runDemo } from './run-demo.ts'
import type { DemoOptions } from './run-demo.ts'

vi.setConfig({ testTimeout: 30_000 })

/** A share of the orders that is soon done. */
const lines = readFileSync(new URL('../../data/orders.jsonl', import.meta.url), 'utf8')
  .split('\n')
  .slice(0, 60)

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'order-shop-test-'))
  writeFileSync(join(folder, 'some.jsonl'), lines.join('\n'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function demo(words: readonly string[], more: Partial<DemoOptions> = {}): Promise<Ran> {
  const written = { stdout: '', stderr: '' }
  const code = await runDemo({
    words,
    signal: new AbortController().signal,
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    ...more,
  })
  return { code, ...written }
}

function removeCharge(folder: string, orderId: string): void {
  const database = new DatabaseSync(join(folder, 'charges.db'))
  database.prepare('DELETE FROM charges WHERE order_id = ?').run(orderId)
  database.close()
}

/** The orders are named, since the tests' own standard input may be anything. */
const quick = (...words: string[]): string[] => [
  '--quick',
  '--orders',
  join(folder, 'some.jsonl'),
  '--out',
  join(folder, 'out'),
  ...words,
]

test('prints both versions side by side, plain and in 80 columns, and ends with 0', async () => {
  const { code, stdout, stderr } = await demo(quick())

  expect(code).toBe(0)
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^ {2}charged twice +0 +[1-9]/m)
  expect(stdout).toMatch(/^ {2}not explained by a dead letter +0 +[1-9]/m)
  expect(stdout).toContain('Posthorn: clean.')
  expect(stdout).toContain('naive-version.ts')
  expect(stdout).not.toContain('\u001B')
  expect(stdout).not.toContain('\r')
  const printed = stdout.split('\n').filter((line) => !line.includes(folder))
  expect(printed.filter((line) => line.length > 80)).toEqual([])
})

describe('ends with 1 and says so when, in what Posthorn has done,', () => {
  test('a charge has vanished (in colour, on a terminal)', async () => {
    let stdout = ''
    const { code } = await demo(quick(), {
      stdout: { isTTY: true, write: (text) => (stdout += text) },
      beforeJudging: (run) => run.endsWith('posthorn') && removeCharge(run, 'ORD-10003'),
    })

    expect(code).toBe(1)
    expect(stdout).toContain('\u001B[31mPosthorn: NOT clean.')
    expect(stdout).toContain('  notCharged: ORD-10003')
    expect(stdout.replaceAll('\u001B', '^')).toMatch(/charged twice +\^\[32m +0\^\[39m\^\[31m +[1-9]/)
  })

  test('an e-mail is there twice (with --json, which prints one document and nothing else)', async () => {
    const { code, stdout, stderr } = await demo(quick('--json', '--seed', '5'), {
      beforeJudging: (run) => {
        if (run.endsWith('posthorn'))
          writeFileSync(join(run, 'emails', 'again.eml'), 'X-Order-Id: ORD-10003\r\n\r\nHello')
      },
    })

    expect(code).toBe(1)
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({
      seed: 5,
      stopped: false,
      orders: { lines: 60 },
      posthorn: { clean: false, verdict: { lost: [], emailsTwice: ['ORD-10003'] } },
      naive: { clean: false },
      exitCode: 1,
    })
  })
})

test('--dead-letters lists each, --replay does the one that ran out of attempts, --metrics-port says where', async () => {
  const { code, stdout } = await demo(quick('--dead-letters', '--replay', '--metrics-port', '0'))

  expect(code).toBe(0)
  expect(stdout).toMatch(/^ {2}http:\/\/127\.0\.0\.1:\d+\/metrics$/m)
  expect(stdout).toMatch(/^Dead letters replayed +1 +-$/m)
  expect(stdout).toMatch(
    /^ +1 {2}incoming-orders not-json .+\n {9}line-10 +1 x {2}BadOrder: The line is no JSON/m,
  )
  expect(stdout).not.toContain('attempts-exhausted')
  expect(stdout.split('\n').filter((line) => line.length > 80 && !line.includes(folder))).toEqual([])
})

test('takes a file of somebody else, of which every line is bad', async () => {
  const file = join(folder, 'mine.jsonl')
  writeFileSync(file, '\uFEFF{"id":"A-1"}\r\n\r\nnonsense\r\n')
  const { code, stdout } = await demo(['--quick', '--json', '--orders', file, '--out', join(folder, 'out')])

  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    orders: { lines: 2, good: 0, bad: 2 },
    posthorn: { verdict: { deadLetters: 2, badUnexplained: 0 } },
    naive: { verdict: { deadLetters: 0, badUnexplained: 2 } },
  })
})

test('told to end before it has begun, it says what is left and ends with 1', async () => {
  const { code, stdout } = await demo(quick(), { signal: AbortSignal.abort() })

  expect(code).toBe(1)
  expect(stdout).toContain('published     0 of 60 orders')
  expect(stdout).toMatch(/still queued +\d+/)
  expect(readdirSync(join(folder, 'out')).toSorted()).toEqual(['pictures', 'posthorn'])
})

test('--help says what there is', async () => {
  const { code, stdout } = await demo(['--help'])

  expect(code).toBe(0)
  for (const option of [
    '--orders',
    '--seed',
    '--out',
    '--broker',
    '--real-time',
    '--quick',
    '--json',
    '--metrics-port',
    '--dead-letters',
    '--replay',
  ])
    expect(stdout).toContain(option)
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
})

describe('ends with 2 and says what is wrong:', () => {
  test.each([
    [['--sed', '3'], 'There is no option --sed. Did you mean --seed?'],
    [['--ordrs=x'], 'There is no option --ordrs. Did you mean --orders?'],
    [['--colour'], 'There is no option --colour. See --help.'],
    [['--constructor'], 'There is no option --constructor. See --help.'],
    [['-x'], 'There is no option -x.'],
    [['orders.jsonl'], '"orders.jsonl" is not an option.'],
    [['--seed', 'one'], '--seed takes a whole number from 0, and got "one".'],
    [['--seed', '-1'], '--seed'],
    [['--seed', '1.5'], '--seed takes a whole number from 0, and got "1.5".'],
    [['--seed'], '--seed needs a value'],
    [['--metrics-port', '70000'], '--metrics-port takes a whole number from 0 to 65500, and got "70000".'],
    [['--json=yes'], '--json takes no value, and got "yes".'],
    [['--orders', '/nowhere/orders.jsonl'], '--orders: /nowhere/orders.jsonl cannot be read'],
  ])('%j', async (words, message) => {
    const { code, stdout, stderr } = await demo(words)

    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain(message)
  })

  test('a folder that is not empty, since what an earlier run has done would count', async () => {
    writeFileSync(join(folder, 'something'), '')
    const { code, stderr } = await demo(['--orders', new URL(import.meta.url).pathname, '--out', folder])

    expect(code).toBe(2)
    expect(stderr).toContain('is not empty')
  })

  test('an empty file', async () => {
    const file = join(folder, 'empty.jsonl')
    writeFileSync(file, '\n\n')
    const { code, stderr } = await demo(['--orders', file, '--out', join(folder, 'out')])

    expect(code).toBe(2)
    expect(stderr).toContain('There are no orders in')
  })

  test.each([
    ['gopher://shop', 'Accepted: memory:'],
    ['redis://shop:s3cret@localhost', 'npm install @posthorn/redis'],
    ['amqp://shop:s3cret@localhost:what', 'A URL of RabbitMQ is amqp://user:password@host:5672/vhost'],
  ])('--broker %s', async (url, message) => {
    const { code, stdout, stderr } = await demo(quick('--broker', url))

    expect(code).toBe(2)
    expect(stderr).toContain(message)
    expect(stdout + stderr).not.toContain('s3cret')
  })
})
