import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { runShop } from './run-shop.ts'
import type { ShopOptions, ShopOutcome } from './run-shop.ts'
import { outageMs } from '../faults/fault-plan.ts'
import { isClean } from '../judge/judge.ts'
import { paymentOf } from '../shop/order.ts'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const file = new URL('../../data/orders.jsonl', import.meta.url)
const lines = readFileSync(file, 'utf8').trim().split('\n').slice(0, 100)

const out = mkdtempSync(join(tmpdir(), 'order-shop-test-'))
afterAll(() => rmSync(out, { recursive: true }))

function run(name: string, seed: number, more: Partial<ShopOptions> = {}): Promise<ShopOutcome> {
  return runShop({
    lines,
    seed,
    out: join(out, name),
    brokerUrl: 'memory:',
    realTime: false,
    speed: Infinity,
    signal: new AbortController().signal,
    watch: () => () => undefined,
    ...more,
  })
}

const ledger = (name: string, version: string): string =>
  readFileSync(join(out, name, version, 'ledger.jsonl'), 'utf8')

interface Entry {
  readonly at: number
  readonly effect: string
  readonly orderId?: string
  readonly subject?: string
  readonly error?: string
}

function toEntry(line: string): Entry {
  const entry = JSON.parse(line) as Omit<Entry, 'at'> & { readonly at: string }
  return { ...entry, at: Date.parse(entry.at) }
}

const entries = (version: string): Entry[] => ledger('first', version).trim().split('\n').map(toEntry)

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

test('the e-mail to a full mailbox is tried five times, then explained', () => {
  const { posthorn, naive, plan } = first
  const letters = posthorn.deadLetters.filter(({ source }) => source === 'tasks')

  expect(posthorn.verdict.mostRefusals).toBe(5)
  expect(letters).toMatchObject([
    { reason: 'attempts-exhausted', attempts: 5, error: 'Error: 552 5.2.2 Mailbox full' },
  ])
  expect(letters[0]?.body).toContain(`"${plan.poison}"`)
  expect(naive?.verdict.mostRefusals).toBeGreaterThan(50)
})

test('what ran out of attempts is done when it is replayed after the repair', async () => {
  const { posthorn, plan, expected } = await run('replayed', 1, { replay: true })

  expect(posthorn.report.replayed).toBe(1)
  expect(readFileSync(join(out, 'replayed', 'posthorn', 'replayed.jsonl'), 'utf8')).toContain(
    `"email-${plan.poison}"`,
  )
  expect(posthorn.done.emails).toBe(expected.orders.length)
  expect(posthorn.verdict).toMatchObject({ mostRefusals: 5, deadLetters: expected.bad.length })
  expect(isClean(posthorn.verdict)).toBe(true)
})

test('card orders wait for a provider that is down, while invoices go on', () => {
  const { posthorn, naive, expected } = first
  const invoices = expected.orders.filter((order) => paymentOf(order) === 'invoice').map(({ id }) => id)
  const isDown = ({ error }: Entry): boolean => error === 'Error: 503 The payment provider is down'
  const ours = entries('posthorn')
  const refused = ours.filter(isDown)
  const from = refused[0]?.at ?? NaN
  const charged = ours.filter(({ effect, at }) => effect === 'charge' && at > from && at < from + outageMs)

  expect(posthorn.report.events.breakerOpened).toBeGreaterThan(1)
  expect(posthorn.deadLetters.filter(({ source }) => source === 'orders/payment')).toEqual([])
  expect(charged.length).toBeGreaterThan(5)
  expect(charged.filter(({ orderId = '' }) => !invoices.includes(orderId))).toEqual([])

  const lost = new Set(
    entries('naive')
      .filter(isDown)
      .map(({ subject }) => subject),
  )
  expect(posthorn.verdict.callsWhileDown).toBe(refused.length)
  expect(refused.length).toBeLessThan((naive?.verdict.callsWhileDown ?? NaN) / 2)
  const good = expected.orders.map(({ id }) => id).filter((id) => lost.has(id))
  expect(naive?.verdict.notCharged).toEqual(expect.arrayContaining(good))
})

test('each duplicate is recognised by everybody who gets it', () => {
  const { posthorn, plan, expected } = first
  const { sentTwice, lostConfirmations, duplicates } = plan
  const inFile = lines.length - expected.orders.length - expected.bad.length
  const injected = sentTwice.length + lostConfirmations.length + duplicates.length + inFile

  // The warehouse, the charge book and the mail server; the sale follows from a charge. Crashes add to it.
  expect(posthorn.verdict.repetitions).toBeGreaterThanOrEqual(3 * injected)
  expect(injected).toBeGreaterThan(5)
})

test('shows the metrics of all services while it runs, and not afterwards', async () => {
  const pages: string[] = []
  let url = ''
  let looking: Promise<void> | undefined
  async function look(): Promise<void> {
    for (;;) {
      const page = await fetch(url)
        .then((response) => response.text())
        .catch(() => undefined)
      if (page === undefined) return
      pages.push(page)
    }
  }
  await run('watched', 1, {
    metricsPort: 0,
    onMetrics(addresses) {
      url = addresses[0]?.url ?? ''
      looking = look()
    },
  })
  await looking

  const last = pages.at(-1)
  for (const source of [
    'incoming-orders',
    'orders/payment',
    'orders/email',
    'orders/inventory',
    'orders/analytics',
    'tasks',
  ])
    expect(last).toMatch(
      new RegExp(`^posthorn_messages_handled_total\\{source="${source}",outcome="ack"\\} [1-9]`, 'm'),
    )
  expect(last).toMatch(/^posthorn_breaker_state\{breaker="payment-provider"\} (0|0.5|1)$/m)
  expect(last).toContain('posthorn_up{transport="relay"} 1')
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
