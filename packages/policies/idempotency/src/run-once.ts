import { payloadHash, type SingleClaims } from '@posthorn/store'
import { PosthornError, type Clock } from '@posthorn/transport'
import { LeaseKeeper } from './keep-leases.ts'
import { keyConflict } from './message-key.ts'
import { nextLookMs } from './next-look.ts'
import { recordAgain } from './record-again.ts'
import { readResult, writeResult } from './result.ts'
import type { IdempotencySettings } from './idempotency-options.ts'

/** What `fn` of `run` gets. */
export interface RunContext {
  /** Higher than that of every earlier run of the same key. */
  readonly fence: number
}

/**
 * Runs `fn` once for its key. A repetition with the same body gets the first one's result, read from JSON; with another body
 * it rejects with `POSTHORN_KEY_CONFLICT`, and while the first one runs with `POSTHORN_IN_PROGRESS`, whose
 * `retryAfterMs` says when to look again. When `fn` throws, the key is free again. Rejects with a `StoreError` when
 * there can be no record: before `fn` is called, or after it, and then its lease keeps others away for a while.
 */
export type RunOnce = <Result>(
  key: string,
  body: unknown,
  fn: (context: RunContext) => Promise<Result> | Result,
) => Promise<Result>

export function createRun(settings: IdempotencySettings, single: SingleClaims, clock: Clock): RunOnce {
  const { store, leaseMs, retentionMs, owner } = settings
  const keeper = new LeaseKeeper(clock, leaseMs, (requests) => store.claims.renew(requests))

  return async <Result>(
    key: string,
    body: unknown,
    fn: (context: RunContext) => Promise<Result> | Result,
  ): Promise<Result> => {
    const answer = await single.claim({ key, owner, leaseMs, payloadHash: payloadHash(body) })
    if (answer.status === 'done') return readResult(answer.result) as Result
    if (answer.status === 'conflict') throw keyConflict(key)
    if (answer.status === 'inProgress') throw inProgress(key, answer.remainingMs)
    const claim = { key, fence: answer.fence }
    keeper.hold(claim)
    try {
      let value: Result
      try {
        value = await fn({ fence: answer.fence })
      } catch (error) {
        await single.release(claim).catch(() => undefined)
        throw error
      }
      const request = { ...claim, result: writeResult(value), retentionMs }
      let triesLeft = recordTries
      const mayWait = (): boolean => (triesLeft -= 1) > 0
      const done = await single
        .complete(request)
        .catch((error: unknown) => recordAgain(error, () => single.complete(request), clock, mayWait))
      if (done === 'lost') throw inProgress(key, leaseMs)
      return value
    } finally {
      keeper.drop(claim)
    }
  }
}

/** How often the record of what is done is tried before its caller is told: some three seconds. */
const recordTries = 6

function inProgress(key: string, remainingMs: number): PosthornError {
  const text = `"${key}" is being worked on by somebody else, for ${Math.ceil(remainingMs)} ms more at most unless that is renewed. Try again later with the same key.`
  const error = new PosthornError('POSTHORN_IN_PROGRESS', text, { phase: 'handle', retryable: true })
  return Object.assign(error, { retryAfterMs: nextLookMs(remainingMs) })
}
