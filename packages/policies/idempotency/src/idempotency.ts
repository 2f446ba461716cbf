import {
  gatherClaims,
  isStoreError,
  payloadHash,
  type ClaimAnswer,
  type CompleteRequest,
  type StoreError,
} from '@posthorn/store'
import { systemClock } from '@posthorn/transport/options'
import {
  ackWith,
  type Clock,
  type Context,
  type Message,
  type Middleware,
  type Next,
  type Settlement,
} from '@posthorn/transport'
import { setFence } from './fence-of.ts'
import { idempotencySettings, type IdempotencyOptions } from './idempotency-options.ts'
import { LeaseKeeper } from './keep-leases.ts'
import { keyConflict, keyOf } from './message-key.ts'
import { nextLookMs } from './next-look.ts'
import { tellOf } from './on-repetition.ts'
import { recordAgain } from './record-again.ts'
import { readResult, writeResult } from './result.ts'
import { createRun, type RunOnce } from './run-once.ts'
import { StoreGate } from './store-gate.ts'

export interface Idempotency extends Middleware {
  /** The same around anything else: `fn` runs once for its key, and its result is the answer of every repetition. */
  readonly run: RunOnce
}

/** Milliseconds for which a message waits while the store is away; it spends no attempt. */
const storeAwayMs = 1_000

/**
 * Middleware by which a message that comes again is not handled again: at least once, and at most once more when a
 * process dies or hangs between its effect and the record of it, for which the handler has a fencing token (`fenceOf`).
 */
export function idempotency(options: IdempotencyOptions): Idempotency {
  const settings = idempotencySettings(options)
  const { store, key: from, leaseMs, retentionMs, storeResults, owner, onConflict, onRepetition } = settings
  const { claims } = store
  const single = gatherClaims(claims)

  function begin(next: Next, keeper: LeaseKeeper, gate: StoreGate, clock: Clock): Next {
    async function recordLater(
      error: unknown,
      request: CompleteRequest,
      { signal }: Context,
    ): Promise<'completed' | 'lost'> {
      // So long nobody else can begin, whatever has become of the delivery.
      const until = clock.now() + leaseMs
      const mayWait = (failure: StoreError): boolean => {
        gate.shut(failure)
        return !signal.aborted || clock.now() < until
      }
      try {
        return await recordAgain(error, () => single.complete(request), clock, mayWait)
      } catch (last) {
        if (isStoreError(last)) return 'lost'
        throw last
      }
    }

    // One function for all that a message usually needs: each further one that is awaited would cost as much as a claim in memory.
    return async (message, context) => {
      let key: string
      let answer: ClaimAnswer
      try {
        key = keyOf(from, message, context)
      } catch (error) {
        // Trying again would find the same.
        return context.deadLetter({ reason: 'no-idempotency-key', error })
      }
      try {
        answer = await single.claim({ key, owner, leaseMs, payloadHash: payloadHash(message.data) })
      } catch (error) {
        if (!isStoreError(error)) throw error
        // No store could ever keep it, and all others are not to wait for it.
        if (error.phase === 'options') return context.deadLetter({ reason: 'no-idempotency-key', error })
        gate.shut(error)
        return context.release({ delayMs: storeAwayMs })
      }
      if (answer.status !== 'claimed') return repeated(answer, key, message, context)
      const claim = { key, fence: answer.fence }
      keeper.hold(claim)
      setFence(context, claim.fence)
      let isDone = false
      try {
        const settled = next(message, context)
        const settlement = settled instanceof Promise ? await settled : settled
        if (settlement.verb !== 'ack') return settlement
        isDone = true
        const result = storeResults ? writeResult(settlement.value) : undefined
        const request = { key, fence: claim.fence, result, retentionMs }
        const recorded = await single
          .complete(request)
          .catch((error: unknown) => recordLater(error, request, context))
        // Another one has taken over, and what it does counts; or nobody knows of it, and somebody will.
        return recorded === 'completed' ? settlement : context.release({ delayMs: storeAwayMs })
      } finally {
        keeper.drop(claim)
        // Where this does not arrive, the lease ends by itself.
        if (!isDone) single.release(claim).catch(() => undefined)
      }
    }
  }

  function repeated(
    answer: Exclude<ClaimAnswer, { status: 'claimed' }>,
    key: string,
    message: Message,
    context: Context,
  ): Settlement {
    switch (answer.status) {
      case 'done':
        tellOf(onRepetition, message, context)
        return ackWith(readResult(answer.result), true)
      case 'inProgress':
        return context.release({ delayMs: nextLookMs(answer.remainingMs) })
      case 'conflict':
        return (
          onConflict?.(message, context) ??
          context.deadLetter({ reason: 'idempotency-conflict', error: keyConflict(key) })
        )
    }
  }

  return {
    name: 'idempotency',
    phase: 'once',
    facts: { deduplicationWindowMs: retentionMs },
    wrap(next, runtime) {
      const keeper = new LeaseKeeper(runtime.clock, leaseMs, (requests) => claims.renew(requests))
      runtime.onClose(() => keeper.stop())
      return begin(next, keeper, new StoreGate(store, runtime), runtime.clock)
    },
    run: createRun(settings, single, options.clock ?? systemClock),
  }
}
