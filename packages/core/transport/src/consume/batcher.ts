import type { Clock } from '../contract/clock.ts'
import type { Context } from '../contract/context.ts'
import type { Message } from '../contract/message.ts'
import type { BatchContext, BatchHandler, Next } from '../contract/middleware.ts'
import type { Settlement } from '../contract/settlement.ts'
import { ack, isSettlement } from './settlement.ts'

interface Waiting {
  readonly message: Message
  readonly context: Context
  readonly resolve: (settlement: Settlement) => void
  readonly reject: (error: unknown) => void
}

export interface BatchLimits {
  readonly max: number
  readonly waitMs: number
  /** Calls of the handler at a time. */
  concurrency: number
}

/**
 * The last stage of a batch consumer: each message comes through its middleware alone and waits here until its batch is
 * full, or its first message has waited long enough.
 */
export function batchTerminal(source: string, handler: BatchHandler<never>, limits: BatchLimits, clock: Clock): Next {
  const handle = handler as BatchHandler
  let gathering: Waiting[] = []
  let cancelTimer: (() => void) | undefined
  let due = false
  let active = 0

  const flush = (): void => {
    while (gathering.length > 0 && active < limits.concurrency && (due || gathering.length >= limits.max)) {
      const batch = gathering.splice(0, limits.max)
      if (gathering.length === 0) {
        due = false
        cancelTimer?.()
        cancelTimer = undefined
      }
      active++
      void run(batch).finally(() => {
        active--
        flush()
      })
    }
  }

  const run = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const contexts = batch.map((one) => one.context)
      const answer: unknown = await handle(
        batch.map((one) => one.message),
        batchContext(source, contexts),
      )
      const answers: readonly unknown[] = Array.isArray(answer) && answer.length === batch.length ? answer : []
      for (const [index, one] of batch.entries()) {
        const own = answers[index] ?? answer
        one.resolve(isSettlement(own) ? own : ack)
      }
    } catch (error) {
      for (const one of batch) one.reject(error)
    }
  }

  return (message, context) =>
    new Promise((resolve, reject) => {
      gathering.push({ message, context, resolve, reject })
      if (gathering.length === 1) {
        cancelTimer = clock.setTimer(() => {
          cancelTimer = undefined
          due = true
          flush()
        }, limits.waitMs)
      }
      flush()
    })
}

function batchContext(source: string, contexts: readonly Context[]): BatchContext {
  let signal: AbortSignal | undefined
  return {
    source,
    contexts,
    get signal() {
      signal ??= AbortSignal.any(contexts.map((context) => context.signal))
      return signal
    },
  }
}
