import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLedger, type LedgerEntry } from './open-ledger.ts'
import { readLedger } from './read-ledger.ts'

let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'posthorn-ledger-'))
  path = join(folder, 'ledger.jsonl')
})

afterEach(async () => rm(folder, { recursive: true }))

async function readAll(): Promise<LedgerEntry[]> {
  const entries: LedgerEntry[] = []
  for await (const entry of readLedger(path)) entries.push(entry)
  return entries
}

test('reads back what was recorded, in order', async () => {
  const ledger = await openLedger(path)
  const entries = Array.from({ length: 1000 }, (_, index) => ({
    kind: 'intent',
    id: `m-${index}`,
    text: 'ä\n🙂',
  }))
  await Promise.all(entries.map(async (entry) => ledger.record(entry)))
  expect(await readAll()).toEqual(entries)
  await ledger.close()
})

test('has an entry on disk when recording it has resolved', async () => {
  const ledger = await openLedger(path)
  const others = [ledger.record({ id: 1 }), ledger.record({ id: 2 })]
  await ledger.record({ id: 3 })
  expect(await readAll()).toHaveLength(3)
  await Promise.all(others)
  await ledger.close()
})

test('goes on after the entries that are there', async () => {
  for (const id of [1, 2]) {
    const ledger = await openLedger(path)
    await ledger.record({ id })
    await ledger.close()
  }
  expect(await readAll()).toEqual([{ id: 1 }, { id: 2 }])
})

test('leaves out an entry that its writer did not finish, and writes over it', async () => {
  await writeFile(path, '{"id":1}\n{"id":"é')
  expect(await readAll()).toEqual([{ id: 1 }])
  const ledger = await openLedger(path)
  await ledger.record({ id: 3 })
  await ledger.close()
  expect(await readAll()).toEqual([{ id: 1 }, { id: 3 }])
})

test('names the line that is no entry', async () => {
  await appendFile(path, '{"id":1}\nnonsense\n')
  await expect(readAll()).rejects.toThrow(`${path}:2 is no entry of a ledger: nonsense`)
})

test('writes what was recorded before it is closed, and nothing afterwards', async () => {
  const ledger = await openLedger(path)
  const recorded = ledger.record({ id: 1 })
  await ledger.close()
  await recorded
  expect(await readAll()).toEqual([{ id: 1 }])
  await expect(ledger.record({ id: 2 })).rejects.toThrow('The ledger is closed')
})
