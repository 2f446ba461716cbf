import { expect, describe, test } from 'vitest'
import { behaviours, runBehaviour, type Behaviour } from '@posthorn/conformance'
import { memorySubject, type MemoryVariant } from './memory-harness.ts'
import { consumingMutants } from './mutants/consuming-mutants.ts'
import { publishingMutants } from './mutants/publishing-mutants.ts'
import { settlingMutants } from './mutants/settling-mutants.ts'

const mutants = [...publishingMutants, ...settlingMutants, ...consumingMutants]

function find(id: string): Behaviour {
  const behaviour = behaviours.find((one) => one.id === id)
  if (behaviour === undefined) throw new Error(`There is no behaviour ${id}.`)
  return behaviour
}

const run = async (id: string, create: () => MemoryVariant): Promise<string> =>
  (await runBehaviour(memorySubject('mutant', create), find(id))).result

describe('the suite catches a transport that', () => {
  test.each(mutants)('$name', async (mutant) => {
    for (const id of mutant.caughtBy) {
      expect({ id, result: await run(id, () => mutant.create()) }).toEqual({ id, result: 'failed' })
    }
  })
})

test('the behaviours that catch them pass on the transport as it is', { timeout: 60_000 }, async () => {
  for (const id of new Set(mutants.flatMap((mutant) => mutant.caughtBy))) {
    expect({ id, result: await run(id, () => ({})) }).toEqual({ id, result: 'shown' })
  }
})

test('there are variants enough, each with a name of its own', () => {
  expect(new Set(mutants.map((mutant) => mutant.name)).size).toBe(mutants.length)
  expect(mutants.length).toBeGreaterThanOrEqual(25)
})
