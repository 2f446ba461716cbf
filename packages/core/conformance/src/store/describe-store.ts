import { describe, expect, test } from 'vitest'
import { storeAreas } from './behaviours/all.ts'
import { runStoreBehaviour } from './run-store-behaviour.ts'
import type { StoreUnderTest } from './store-harness.ts'

const defaultTestTimeoutMs = 60_000

/** Registers the promises of a store with vitest, a test for each. */
export function describeStore<Transaction>(subject: StoreUnderTest<Transaction>): void {
  const timeout = subject.testTimeoutMs ?? defaultTestTimeoutMs
  describe(`${subject.name} keeps the contract of a store`, () => {
    for (const area of storeAreas) {
      describe(`${area.title}`, () => {
        for (const behaviour of area.behaviours) {
          test(`${behaviour.id}. ${behaviour.sentence}`, { timeout }, async () => {
            const outcome = await runStoreBehaviour(subject, behaviour)
            if (outcome.result === 'failed') throw outcome.error
            expect(['shown', 'refused', 'declared']).toContain(outcome.result)
          })
        }
      })
    }
  })
}
