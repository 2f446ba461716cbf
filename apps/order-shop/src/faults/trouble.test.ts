import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createVirtualClock } from '@posthorn/transport/testing'
import { afterAll, expect, test } from 'vitest'
import { createClaims } from './claims.ts'
import { outageMs, planFaults } from './fault-plan.ts'
import { createTrouble } from './trouble.ts'
import type { Trouble } from './trouble.ts'

const out = mkdtempSync(join(tmpdir(), 'order-shop-test-'))
afterAll(() => rmSync(out, { recursive: true }))

const clock = createVirtualClock()
const orders = Array.from({ length: 40 }, (_, index) => ({ id: `ORD-${index}` }))
const plan = { ...planFaults({ seed: 1, orders, reach: 'memory' }), failures: new Map(), outage: 'ORD-20' }

/** As a process has it that shares a folder with others. */
function trouble(folder: string): Trouble {
  const claims = createClaims(join(out, folder), clock)
  return createTrouble({ plan, claims, clock, striker: { crash: () => undefined, cut: () => undefined } })
}

test('a provider that goes down refuses every process for so long, and nobody else is touched', async () => {
  const [one, other] = [trouble('down'), trouble('down')]
  expect(() => one.refuse('payment', 'ORD-1')).not.toThrow()
  expect(() => one.refuse('payment', 'ORD-20')).toThrow('503 The payment provider is down')

  await clock.advance(outageMs - 1)
  expect(() => other.refuse('payment', 'ORD-2')).toThrow('503 The payment provider is down')
  expect(() => other.refuse('warehouse', 'ORD-2')).not.toThrow()
  await clock.advance(1)
  expect(() => other.refuse('payment', 'ORD-2')).not.toThrow()
  expect(() => one.refuse('payment', 'ORD-20')).not.toThrow()
})

test('what is refused for ever is done once it is repaired, by whichever process', () => {
  const [one, other] = [trouble('repaired'), trouble('repaired')]
  const send = (): void => one.refuse('mail', String(plan.poison))
  expect(send).toThrow('552 5.2.2 Mailbox full')

  other.repair()
  expect(send).not.toThrow()
})
