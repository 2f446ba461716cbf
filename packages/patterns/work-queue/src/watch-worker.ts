import type { Message, Middleware, MiddlewareRuntime, Transport } from '@posthorn/transport'
import type { TaskDone, TaskFailed, WorkerCounts } from './worker.ts'

export type MutableCounts = { -readonly [Name in keyof WorkerCounts]: number }

export interface WorkerHooks {
  readonly onDone?: ((message: Message, done: TaskDone) => unknown) | undefined
  readonly onFailed?: ((message: Message, failed: TaskFailed) => unknown) | undefined
}

interface Attempt {
  readonly message: Message
  readonly startedAt: number
  /** What becomes of it is decided, even if its handler should end later. */
  over: boolean
}

/**
 * Counts what one worker does and calls its hooks. Middleware sees that a task is done; whether a failed one is retried
 * or dead-lettered the transport decides afterwards, and says by an event, which may be another worker's.
 */
export function watchWorker(
  transport: Transport,
  queue: string,
  hooks: WorkerHooks,
  totals: MutableCounts,
): { readonly middleware: Middleware; readonly counts: WorkerCounts } {
  const { clock } = transport
  const counts: MutableCounts = { done: 0, failed: 0, retried: 0, deadLettered: 0 }
  const attempts = new Map<string, Attempt>()

  const count = (name: keyof WorkerCounts): void => {
    counts[name] += 1
    totals[name] += 1
  }

  const takeOut = (event: { readonly id: string; readonly source: string }): Attempt | undefined => {
    if (event.source !== queue) return undefined
    const attempt = attempts.get(event.id)
    if (attempt !== undefined) end(attempt)
    return attempt
  }

  const end = (attempt: Attempt): void => {
    attempt.over = true
    if (attempts.get(attempt.message.id) === attempt) attempts.delete(attempt.message.id)
  }

  const wrap: Middleware['wrap'] = (next, runtime) => {
    const tell = <Detail>(
      name: keyof WorkerHooks,
      hook: ((message: Message, detail: Detail) => unknown) | undefined,
      message: Message,
      detail: Detail,
    ): void => {
      if (hook !== undefined)
        callSafely(runtime, `${name} of a worker of "${queue}"`, () => hook(message, detail))
    }

    const fail = (attempt: Attempt, failed: Omit<TaskFailed, 'durationMs'>): void => {
      count('failed')
      tell('onFailed', hooks.onFailed, attempt.message, {
        ...failed,
        durationMs: clock.now() - attempt.startedAt,
      })
    }

    const stops = [
      transport.on('retried', (event) => {
        const attempt = takeOut(event)
        if (attempt === undefined) return
        count('retried')
        fail(attempt, { error: event.error, attempt: event.attempt, outcome: { retryInMs: event.delayMs } })
      }),
      transport.on('deadLettered', (event) => {
        const attempt = takeOut(event)
        if (attempt === undefined) return
        count('deadLettered')
        fail(attempt, { error: event.error, attempt: event.attempts, outcome: { deadLetter: event.reason } })
      }),
      transport.on('leaseLost', takeOut),
    ]
    runtime.onClose(() => {
      for (const stop of stops) stop()
      attempts.clear()
    })

    return (message, context) => {
      const attempt: Attempt = { message, startedAt: clock.now(), over: false }
      attempts.set(message.id, attempt)
      const see = (settlement: Settled): Settled => {
        if (settlement.verb === 'release') end(attempt)
        if (settlement.verb !== 'ack' || attempt.over) return settlement
        end(attempt)
        count('done')
        const durationMs = clock.now() - attempt.startedAt
        tell('onDone', hooks.onDone, message, {
          attempt: context.attempt,
          durationMs,
          result: settlement.value,
        })
        return settlement
      }
      const answer = next(message, context)
      return answer instanceof Promise ? answer.then(see) : see(answer)
    }
  }

  return { middleware: { name: 'worker counts', phase: 'observe', wrap }, counts }
}

type Settled = Awaited<ReturnType<ReturnType<Middleware['wrap']>>>

function callSafely(runtime: MiddlewareRuntime, where: string, call: () => unknown): void {
  const report = (error: unknown): void => runtime.emit('callbackFailed', { where, error })
  try {
    const answer = call()
    if (answer instanceof Promise) answer.catch(report)
  } catch (error) {
    report(error)
  }
}
