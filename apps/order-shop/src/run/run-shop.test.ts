import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { runShop } from './run-shop.ts'
import type { ShopOutcome } from './run-shop.ts'
import { isClean } from '../judge/judge.ts'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const file = new URL('../../data/orders.jsonl', import.meta.url)
const lines = readFileSync(file, 'utf8').trim().split('\n').slice(0, 100)

const out = mkdtempSync(join(tmpdir(), 'order-shop-test-'))
afterAll(() => rmSync(out, { recursive: true }))

function run(name: string, seed: number): Promise<ShopOutcome> {
  return runShop({
    lines,
    seed,
    out: join(out, name),
    brokerUrl: 'memory:',
    realTime: false,
    speed: Infinity,
    signal: new AbortController().signal,
    watch: () => () => undefined,
  })
}

const ledger = (name: string, version: string): string =>
  readFileSync(join(out, name, version, 'ledger.jsonl'), 'utf8')

let first: ShopOutcome
beforeAll(async () => {
  first = await run('first', 1)
})

test('Posthorn keeps its promises where the naive version loses, doubles and disorders', () => {
  const { posthorn, naive, expected } = first

  expect(posthorn.verdict).toMatchObject({
    lost: [],
    chargedTwice: [],
    emailsTwice: [],
    outOfOrder: 0,
    badUnexplained: 0,
  })
  expect(isClean(posthorn.verdict)).toBe(true)
  expect(posthorn.done.charges).toBe(expected.orders.length)
  expect(posthorn.report.restarts).toBe(3)

  expect(naive?.verdict.lost.length).toBeGreaterThan(0)
  expect(naive?.verdict.chargedTwice.length).toBeGreaterThan(0)
  expect(naive?.verdict.emailsTwice.length).toBeGreaterThan(0)
  expect(naive?.verdict.outOfOrder).toBeGreaterThan(0)
  expect(naive?.verdict.badUnexplained).toBe(expected.bad.length)
})

test('the e-mail that nobody takes is tried five times, then explained', () => {
  const { posthorn, naive, plan } = first
  const letters = posthorn.deadLetters.filter(({ source }) => source === 'tasks')

  expect(posthorn.verdict.mostRefusals).toBe(5)
  expect(letters).toMatchObject([
    { reason: 'attempts-exhausted', error: 'Error: 550 5.1.1 Mailbox unavailable' },
  ])
  expect(letters[0]?.body).toContain(`"${plan.poison}"`)
  expect(naive?.verdict.mostRefusals).toBeGreaterThan(50)
})

test('the same seed gives the same effects in the same order, another seed others', async () => {
  const again = await run('again', 1)
  const other = await run('other', 2)

  for (const version of ['posthorn', 'naive']) {
    expect(ledger('again', version)).toBe(ledger('first', version))
    expect(ledger('other', version)).not.toBe(ledger('first', version))
  }
  expect([again.posthorn.verdict, again.naive?.verdict]).toEqual([
    first.posthorn.verdict,
    first.naive?.verdict,
  ])
  expect(isClean(other.posthorn.verdict)).toBe(true)
})
