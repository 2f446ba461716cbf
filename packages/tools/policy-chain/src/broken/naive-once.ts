import { payloadHash } from '@posthorn/store'
import { ackWith, type Middleware, type Settlement } from '@posthorn/transport'
import type { IdempotencyOptions } from '@posthorn/idempotency'

/** Mistakes that others have made before. */
export interface NaiveMistakes {
  readonly marksBeforeTheWork?: true
  readonly acksWhatIsInProgress?: true
  readonly forgetsWhatIsDone?: true
  readonly spendsAttemptsWithoutStore?: true
}

/** Claims and completes as one would write it down first. */
export function naiveOnce(mistakes: NaiveMistakes): (options: IdempotencyOptions) => Middleware {
  return ({ store: { claims } }) => ({
    name: 'naive idempotency',
    phase: 'once',
    wrap: (next) => async (message, context) => {
      const key = `${context.source}/${message.id}`
      const request = { key, owner: 'naive', leaseMs: 10_000, payloadHash: payloadHash(message.data) }
      const [answer] = await claims.claim([request]).catch(() => [])
      if (answer === undefined && mistakes.spendsAttemptsWithoutStore === true) throw new Error('no record')
      if (answer?.status === 'done') return ackWith(undefined)
      if (answer?.status !== 'claimed')
        return mistakes.acksWhatIsInProgress === true ? ackWith(undefined) : context.release({ delayMs: 500 })
      const claim = { key, fence: answer.fence }
      const complete = async (): Promise<unknown> => claims.complete([{ ...claim, retentionMs: 604_800_000 }])
      if (mistakes.marksBeforeTheWork === true) await complete().catch(() => undefined)
      let settlement: Settlement
      try {
        settlement = await next(message, context)
      } catch (error) {
        await claims.release([claim]).catch(() => undefined)
        throw error
      }
      const ending = mistakes.forgetsWhatIsDone === true ? claims.release([claim]) : complete()
      await ending.catch(() => undefined)
      return settlement
    },
  })
}
