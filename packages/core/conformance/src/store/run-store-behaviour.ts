import assert from 'node:assert/strict'
import { isStoreError, type Store } from '@posthorn/store'
import type { StoreBehaviour } from './store-behaviour.ts'
import { createBench, type StoreBench } from './store-bench.ts'
import type { StoreUnderTest } from './store-harness.ts'

/**
 * What became of a behaviour. `refused`: it needs transactions, the database has none, and `in` said so as it has to.
 * `declared`: it cannot happen here, as the subject says.
 */
export type StoreOutcome =
  | { readonly result: 'shown' }
  | { readonly result: 'refused' | 'declared'; readonly reason: string }
  | { readonly result: 'failed'; readonly reason: string; readonly error: unknown }

/** Runs a behaviour on a harness of its own. Never rejects. */
export async function runStoreBehaviour<Transaction>(
  subject: StoreUnderTest<Transaction>,
  behaviour: StoreBehaviour,
): Promise<StoreOutcome> {
  if (behaviour.needsOwnClock === true && subject.sharesClock === true)
    return { result: 'declared', reason: 'the database has the clock of its client' }
  try {
    const bench = await createBench(subject)
    try {
      return await attempt(bench, behaviour)
    } finally {
      await bench.close()
    }
  } catch (error) {
    return { result: 'failed', reason: error instanceof Error ? error.message : String(error), error }
  }
}

async function attempt(bench: StoreBench, behaviour: StoreBehaviour): Promise<StoreOutcome> {
  if (behaviour.needsTransactions === true) {
    const store = await bench.open()
    const { level, alternative } = store.capabilities.transactions
    if (level === 'unsupported') {
      checkRefusal(store, alternative)
      return { result: 'refused', reason: `transactions are unsupported: ${alternative}` }
    }
  }
  await behaviour.run(bench)
  return { result: 'shown' }
}

function checkRefusal(store: Store<unknown>, alternative: string | undefined): void {
  assert.ok(alternative, 'An unsupported capability names its alternative.')
  try {
    store.in({})
  } catch (error) {
    assert.ok(isStoreError(error) && error.code === 'POSTHORN_UNSUPPORTED', `in() threw ${String(error)}`)
    assert.ok(error.message.includes(alternative), `"${error.message}" names the alternative.`)
    return
  }
  assert.fail('in() took a transaction, and the capabilities say that there are none.')
}
