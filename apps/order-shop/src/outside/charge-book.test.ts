import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createVirtualClock } from '@posthorn/transport/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createChargeBook } from './charge-book.ts'
import type { ChargeBook } from './charge-book.ts'
import { openChargeDatabase, readCharges } from './charge-database.ts'
import type { ChargeDatabase } from './charge-database.ts'
import { createLedger } from './ledger.ts'
import type { Ledger } from './ledger.ts'
import { createLife } from './life.ts'
import type { Life } from './life.ts'
import { createRealWork } from './real-work.ts'
import { createStage } from './stage.ts'

let folder = ''
let database: ChargeDatabase
let ledger: Ledger
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'order-shop-test-'))
  mkdirSync(join(folder, 'drafts'))
  database = await openChargeDatabase(folder)
  ledger = createLedger(join(folder, 'ledger.jsonl'), createVirtualClock())
})
afterEach(() => {
  database.database.close()
  ledger.close()
  rmSync(folder, { recursive: true })
})

/** As one process has it open that crashes at the moment that `crash` names. */
function open(crash?: 'before' | 'after'): { readonly book: ChargeBook; readonly life: Life } {
  const life = createLife('payment', () => undefined)
  const trouble = {
    latencyMs: () => 0,
    refuse: () => undefined,
    strike: async (_party: string, _subject: string, when: string) => {
      if (when === crash) life.end()
    },
    repair: () => undefined,
  }
  const clock = createVirtualClock()
  const stage = createStage({ folder, clock, ledger, trouble, realWork: createRealWork() }, life)
  return { life, book: createChargeBook(stage, database, life) }
}

const enter = (book: ChargeBook, orderId: string): Promise<void> =>
  book.transaction(async (transaction) => {
    transaction.prepare(`INSERT INTO charges VALUES (?, 'C-1', 100, NULL)`).run(orderId)
  })

test('a process that crashes before its commit leaves nothing, and lets the others go on', async () => {
  void enter(open('before').book, 'ORD-1')
  await enter(open().book, 'ORD-2')

  expect(readCharges(folder)).toEqual(['ORD-2'])
  expect(ledger.count('charge')).toBe(1)
})

test('a process that crashes after its commit has charged, and its caller never hears of it', async () => {
  let isAnswered = false
  void enter(open('after').book, 'ORD-1').then(() => (isAnswered = true))
  await enter(open().book, 'ORD-2')

  expect(readCharges(folder)).toEqual(['ORD-1', 'ORD-2'])
  expect(isAnswered).toBe(false)
})

test('what a crashed process still had in hand is no part of what others commit', async () => {
  const { book, life } = open()
  let goOn = (): void => undefined
  const held = new Promise<void>((resolve) => (goOn = resolve))
  const failures: unknown[] = []
  void book.transaction(async (transaction) => {
    await held
    const { outbox } = database.store.in(transaction)
    await outbox.append([{ id: 'x', body: '{}' }]).catch((error: unknown) => failures.push(error))
    try {
      transaction.prepare('DELETE FROM charges')
    } catch (error) {
      failures.push(error)
    }
  })
  const other = open().book.transaction(async () => {
    goOn()
    await new Promise(setImmediate)
  })
  await new Promise(setImmediate)
  life.end()
  await other

  expect(failures).toMatchObject([{ code: 'POSTHORN_TRANSACTION_MISSING' }, expect.any(Error)])
  expect(await database.store.outbox.depth()).toMatchObject({ waiting: 0 })
})
