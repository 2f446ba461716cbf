import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLedger, type LedgerEntry } from '@posthorn/test-brokers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { judge, type Verdict } from './judge.ts'
import { keyCount, type HandledEntry, type SendEntry } from './entries.ts'
import type { FaultRecord } from '../faults/fault-log.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'posthorn-soak-test-'))
})
afterEach(async () => rm(folder, { recursive: true }))

async function write(name: string, entries: readonly LedgerEntry[]): Promise<string> {
  const path = join(folder, name)
  const ledger = await openLedger(path)
  await Promise.all(entries.map(async (entry) => ledger.record(entry)))
  await ledger.close()
  return path
}

const handled = (number: number, startedAt: number): HandledEntry => ({
  handled: number,
  startedAt,
  deliveries: 1,
  attempt: 1,
})

interface Run {
  /** Default: 3. */
  readonly messages?: number
  readonly sent: readonly SendEntry[]
  /** Of `worker-1` and `worker-2`. */
  readonly workers: readonly (readonly HandledEntry[])[]
  readonly faults?: readonly FaultRecord[]
  readonly ordered?: boolean
}

async function judgeRun({
  messages = 3,
  sent,
  workers,
  faults = [],
  ordered = false,
}: Run): Promise<Verdict> {
  return judge({
    messages,
    sent: [await write('sent', sent)],
    handled: await Promise.all(
      workers.map(async (entries, index) => ({
        name: `worker-${index + 1}`,
        path: await write(
          `handled-${index}`,
          entries.map((entry) => ({ ...entry })),
        ),
      })),
    ),
    faults,
    ordered,
  })
}

const allSent: readonly SendEntry[] = [{ started: 3 }, { confirmed: 0 }, { confirmed: 1 }, { confirmed: 2 }]
const cut: FaultRecord = { kind: 'connection cut', target: 'worker-1', startedAt: 50_000, endedAt: 50_000 }

test('finds nothing wrong where all is done once', async () => {
  const verdict = await judgeRun({
    sent: allSent,
    workers: [[handled(0, 1), handled(2, 3)], [handled(1, 2)]],
  })
  expect(verdict).toMatchObject({
    confirmed: 3,
    handled: 3,
    duplicates: 0,
    lost: { count: 0 },
    unconfirmed: { count: 0 },
    unexplained: { count: 0 },
  })
})

test('finds what was confirmed and never done, and what was never confirmed', async () => {
  const verdict = await judgeRun({
    sent: [{ started: 3 }, { confirmed: 1 }, { confirmed: 2 }],
    workers: [[handled(2, 1)]],
  })
  expect(verdict.lost).toMatchObject({ count: 1, first: [1] })
  expect(verdict.unconfirmed).toMatchObject({ count: 1, first: [0] })
})

describe('of a second effect it says', () => {
  test('that a fault of the process that had it before explains it', async () => {
    const workers = [[handled(0, 49_000), handled(1, 1), handled(2, 2)], [handled(0, 60_000)]]
    const verdict = await judgeRun({ sent: allSent, workers, faults: [cut] })
    expect(verdict).toMatchObject({
      duplicates: 1,
      explained: { 'connection cut': 1 },
      unexplained: { count: 0 },
    })
  })

  test('that its process had lost it before, and did not know yet', async () => {
    const workers = [[handled(1, 1), handled(2, 2), handled(0, 51_000)], [handled(0, 50_500)]]
    const verdict = await judgeRun({ sent: allSent, workers, faults: [cut] })
    expect(verdict).toMatchObject({ duplicates: 1, explained: { 'connection cut': 1 } })
  })

  test('that its sender repeated it', async () => {
    const workers = [[handled(0, 1), handled(1, 2), handled(2, 3), handled(0, 90_000)]]
    const sent: readonly SendEntry[] = [{ unknown: 0 }, ...allSent]
    const verdict = await judgeRun({ sent, workers })
    expect(verdict).toMatchObject({ unknown: 1, duplicates: 1, explained: { 'sent again': 1 } })
  })

  test.each([
    ['hit another process', [[handled(0, 60_000)], [handled(0, 40_000)]]],
    ['came before', [[handled(0, 60_000)], [handled(0, 70_000)]]],
  ])('that nothing explains it, where the fault %s', async (_, effects) => {
    const [first = [], second = []] = effects
    const workers = [[handled(1, 1), handled(2, 2), ...first], second]
    const verdict = await judgeRun({ sent: allSent, workers, faults: [cut] })
    expect(verdict.unexplained).toMatchObject({ count: 1, first: [0] })
  })
})

describe('of two messages of one key, first done in the wrong order, it says', () => {
  const sent = [0, keyCount].map((confirmed) => ({ confirmed }))
  const swapped = [[handled(keyCount, 1)], [handled(0, 2)]]

  test('that they are out of order', async () => {
    const verdict = await judgeRun({ messages: keyCount + 1, sent, workers: swapped, ordered: true })
    expect(verdict.outOfOrder).toEqual({ count: 1, first: [0] })
  })

  test('nothing where no order was promised, or where the earlier one had been done before', async () => {
    const again = [[handled(0, 0.5), handled(keyCount, 1)], [handled(0, 2)]]
    const unordered = await judgeRun({ messages: keyCount + 1, sent, workers: swapped })
    expect(unordered.outOfOrder.count).toBe(0)
    await rm(folder, { recursive: true })
    await mkdir(folder)
    const repeated = await judgeRun({ messages: keyCount + 1, sent, workers: again, ordered: true })
    expect(repeated).toMatchObject({ duplicates: 1, outOfOrder: { count: 0 } })
  })
})

test('refuses a number that nobody has sent', async () => {
  await expect(judgeRun({ sent: allSent, workers: [[handled(3, 1)]] })).rejects.toThrow(
    '3 is no number from 0 to 2',
  )
})
