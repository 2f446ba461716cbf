import { gatherClaims, isStoreError, payloadHash, type ClaimAnswer, type HeldClaim } from '@posthorn/store'
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
import { withFence } from './fence-of.ts'
import { idempotencySettings, type IdempotencyOptions } from './idempotency-options.ts'
import { LeaseKeeper } from './keep-leases.ts'
import { keyConflict, keyOf } from './message-key.ts'
import { recordDone } from './record-done.ts'
import { readResult, writeResult } from './result.ts'
import { createRun, type RunOnce } from './run-once.ts'
import { StoreGate } from './store-gate.ts'

export interface Idempotency extends Middleware {
  /** The same around anything else: `fn` runs once for its key, and its result is the answer of every repetition. */
  readonly run: RunOnce
}

/** Milliseconds for which a message waits while the store is away; it spends no attempt. */
const storeAwayMs = 1_000

/** Shortest and longest wait for whoever handles the same now. Milliseconds. */
const shortestWaitMs = 50
const longestWaitMs = 5_000

/**
 * Middleware by which a message that comes again is not handled again: at least once, and at most once more when a
 * process dies or hangs between its effect and the record of it, for which the handler has a fencing token (`fenceOf`).
 */
export function idempotency(options: IdempotencyOptions): Idempotency {
  const settings = idempotencySettings(options)
  const { store, key: from, leaseMs, retentionMs, storeResults, owner, onConflict } = settings
  const { claims } = store
  const single = gatherClaims(claims)

  function begin(next: Next, keeper: LeaseKeeper, gate: StoreGate, clock: Clock): Next {
    return async (message: Message, context: Context): Promise<Settlement> => {
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
        gate.shut()
        return context.release({ delayMs: storeAwayMs })
      }
      switch (answer.status) {
        case 'done':
          return ackWith(readResult(answer.result))
        case 'inProgress':
          return context.release({ delayMs: waitFor(answer.remainingMs) })
        case 'conflict':
          return (
            onConflict?.(message, context) ??
            context.deadLetter({ reason: 'idempotency-conflict', error: keyConflict(key) })
          )
        case 'claimed':
          return handle({ key, fence: answer.fence }, message, context)
      }
    }

    async function handle(claim: HeldClaim, message: Message, context: Context): Promise<Settlement> {
      keeper.hold(claim)
      try {
        let settlement: Settlement
        try {
          settlement = await next(message, withFence(context, claim.fence))
        } catch (error) {
          giveUp(claim)
          throw error
        }
        if (settlement.verb === 'ack') return await finish(claim, settlement, context)
        giveUp(claim)
        return settlement
      } finally {
        keeper.drop(claim)
      }
    }

    async function finish(
      claim: HeldClaim,
      settlement: Settlement & { readonly verb: 'ack' },
      context: Context,
    ): Promise<Settlement> {
      const result = storeResults ? writeResult(settlement.value) : undefined
      const mayWait = (): boolean => {
        gate.shut()
        return !context.signal.aborted
      }
      try {
        const done = await recordDone(
          (request) => single.complete(request),
          { ...claim, result, retentionMs },
          clock,
          mayWait,
        )
        if (done === 'completed') return settlement
      } catch (error) {
        if (!isStoreError(error)) throw error
      }
      // Another one has taken over, and what it does counts; or nobody knows of it, and somebody will.
      return context.release({ delayMs: storeAwayMs })
    }
  }

  /** Where this does not arrive, the lease ends by itself. */
  function giveUp(claim: HeldClaim): void {
    single.release(claim).catch(() => undefined)
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
    run: createRun(settings, options.clock ?? systemClock),
  }
}

function waitFor(remainingMs: number): number {
  return Math.max(shortestWaitMs, Math.min(remainingMs, longestWaitMs))
}
