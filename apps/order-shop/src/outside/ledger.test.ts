import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@posthorn/transport/driver'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLedger } from './ledger.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'order-shop-test-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('counts what others have written into the same file, once their lines are complete', () => {
  const file = join(folder, 'ledger.jsonl')
  const mine = createLedger(file, systemClock)
  const other = createLedger(file, systemClock)
  mine.append({ effect: 'charge', orderId: 'a', customerId: 'c' })
  other.append({ effect: 'charge', orderId: 'b', customerId: 'c' })
  other.append({ effect: 'refusal', by: 'mail', subject: 'a', error: 'no' })
  appendFileSync(file, '{"at":"2026-01-01T00:00:00.000Z","effect":')

  expect([mine.count('charge'), mine.count('refusal'), mine.size]).toEqual([2, 1, 3])
  appendFileSync(file, '"image","file":"x"}\n')
  expect([mine.count('image'), mine.size, other.size]).toEqual([1, 4, 4])
  other.close()
  mine.close()
})

test('takes nothing more when it is closed', () => {
  const ledger = createLedger(join(folder, 'ledger.jsonl'), systemClock)
  ledger.append({ effect: 'image', file: 'x' })
  ledger.close()
  ledger.append({ effect: 'image', file: 'y' })

  expect(ledger.count('image')).toBe(1)
})
