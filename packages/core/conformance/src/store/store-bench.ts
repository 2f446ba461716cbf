import assert from 'node:assert/strict'
import { systemClock } from '@posthorn/transport/driver'
import {
  isStoreError,
  type ClaimAnswer,
  type ClaimRequest,
  type Store,
  type StoreOperations,
} from '@posthorn/store'
import type { OpenTransaction, StoreHarness, StoreUnderTest } from './store-harness.ts'

/** The lease that behaviours use unless they say otherwise: long beside what a test takes. */
export const leaseMs = 60_000

/** For what a database does not hold up to be done before that which could hold it up has ended. */
const graceMs = 50

/** What a behaviour works with: stores of one database, its time, and transactions on it. */
export class StoreBench {
  readonly programs: number
  readonly #harness: StoreHarness<unknown>
  readonly #transactions = new Set<OpenTransaction<unknown>>()

  constructor(harness: StoreHarness<unknown>, programs: number) {
    this.#harness = harness
    this.programs = programs
  }

  async open(): Promise<Store<unknown>> {
    return this.#harness.open()
  }

  async pass(durationMs: number): Promise<void> {
    await this.#harness.pass(durationMs)
  }

  async begin(): Promise<OpenTransaction<unknown>> {
    assert.ok(this.#harness.begin, 'The store declares transactions, and the harness has no `begin`.')
    const open = await this.#harness.begin()
    const end = (finish: () => Promise<void>) => async (): Promise<void> => {
      this.#transactions.delete(known)
      await finish()
    }
    const known = { ...open, commit: end(open.commit), rollback: end(open.rollback) }
    this.#transactions.add(known)
    return known
  }

  async close(): Promise<void> {
    for (const open of this.#transactions) await open.rollback().catch(() => undefined)
    await this.#harness.close()
  }
}

type Claiming = Partial<ClaimRequest> & { readonly key: string }

/** Claims one key, as `owner` "somebody" for a minute unless said otherwise. */
export async function claimOne(store: StoreOperations, request: Claiming): Promise<ClaimAnswer> {
  const answers = await store.claims.claim([{ owner: 'somebody', leaseMs, ...request }])
  assert.equal(answers.length, 1, 'one request has one answer')
  return answers[0] as ClaimAnswer
}

/** The fence of a claim that has to be free. */
export async function mustClaim(store: StoreOperations, request: Claiming): Promise<number> {
  const answer = await claimOne(store, request)
  assert.equal(answer.status, 'claimed', `"${request.key}" is free`)
  return answer.status === 'claimed' ? answer.fence : 0
}

/**
 * Runs what another transaction may hold up, together with what ends that transaction: a database may let it wait, or
 * refuse it as busy, in which case it is done again.
 */
export async function whileHeld<Value>(work: () => Promise<Value>, end: () => Promise<void>): Promise<Value> {
  const first = work().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  await Promise.race([first, new Promise<void>((resolve) => systemClock.setTimer(resolve, graceMs))])
  await end()
  const outcome = await first
  if ('value' in outcome) return outcome.value
  if (!isStoreError(outcome.error) || !outcome.error.retryable) throw outcome.error
  return work()
}

/** That `work` rejects with a `StoreError` of this code, whose message has each of the words. */
export async function rejects(
  work: () => Promise<unknown>,
  code: string,
  ...words: readonly string[]
): Promise<void> {
  try {
    await work()
  } catch (error) {
    assert.ok(isStoreError(error), `A StoreError was wanted, not ${String(error)}`)
    assert.equal(error.code, code)
    for (const word of words) assert.ok(error.message.includes(word), `"${error.message}" tells of ${word}`)
    return
  }
  assert.fail(`It was done, and should have been refused with ${code}.`)
}

export async function createBench<Transaction>(subject: StoreUnderTest<Transaction>): Promise<StoreBench> {
  return new StoreBench((await subject.create()) as StoreHarness<unknown>, subject.programs ?? 100)
}
