import { describe, expect, test } from 'vitest'
import {
  runStoreBehaviour,
  storeBehaviours,
  type StoreBehaviour,
  type StoreUnderTest,
} from '@posthorn/conformance'
import type { Store } from '@posthorn/store'
import { memoryStoreSubject } from './memory-subject.ts'
import { claimsMutants } from './mutants/claims-mutants.ts'
import { outboxMutants } from './mutants/outbox-mutants.ts'
import { recordsMutants } from './mutants/records-mutants.ts'
import type { Change, StoreMutant } from './mutants/store-mutant.ts'
import { plainStoreMutants, transactionMutants } from './mutants/store-mutants.ts'
import { sqliteFileSubject } from './sqlite-subject.ts'

const onMemory = [...claimsMutants, ...recordsMutants, ...outboxMutants, ...plainStoreMutants]

function find(id: string): StoreBehaviour {
  const behaviour = storeBehaviours.find((one) => one.id === id)
  if (behaviour === undefined) throw new Error(`There is no behaviour ${id}.`)
  return behaviour
}

/** Those of the behaviours that do not notice. */
async function findBlind<Transaction>(
  { caughtBy }: StoreMutant,
  subject: () => StoreUnderTest<Transaction>,
): Promise<string[]> {
  const blind: string[] = []
  for (const id of caughtBy)
    if ((await runStoreBehaviour(subject(), find(id))).result !== 'failed') blind.push(id)
  return blind
}

describe('the suite catches a store that', () => {
  test.each(onMemory)('$name', async (mutant) => {
    await expect(findBlind(mutant, () => memoryStoreSubject(mutant.create()))).resolves.toEqual([])
  })

  test.each(transactionMutants)('$name', async (mutant) => {
    const change: Change = mutant.create()
    const subject = () => sqliteFileSubject((store) => change(store as Store<unknown>))
    await expect(findBlind(mutant, subject)).resolves.toEqual([])
  })
})

test('behaviours have ids of their own, and each is caught by some broken store', () => {
  const ids = storeBehaviours.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const { sentence } of storeBehaviours) expect(sentence).toMatch(/^Given .+, then .+/)
  const caught = new Set([...onMemory, ...transactionMutants].flatMap(({ caughtBy }) => caughtBy))
  // Needs two writers; the broken store is in the test on PostgreSQL.
  expect(ids.filter((id) => !caught.has(id))).toEqual(['t7'])
})

test('variants have names of their own', () => {
  const names = [...onMemory, ...transactionMutants].map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})
