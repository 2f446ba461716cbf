import assert from 'node:assert/strict'
import type { Consumer, Handler, Transport } from '@posthorn/transport'
import type { Bench } from '../bench/bench.ts'
import type { Entry, Ledger, ModelCall } from './ledger.ts'

/** A process of a program, with a consumer for each source. */
export interface ModelProcess {
  readonly name: string
  readonly transport: Transport
  readonly consumers: Consumer[]
  concurrency: number
  running: number
  /** Neither stopped nor killed. */
  alive: boolean
  killed: boolean
}

/** What the consumers of a program wait after a failure. */
export const retryDelayMs = 1_000

/** Does what each message's script says, and has the model look at every call. */
export function scriptedHandler(
  bench: Bench,
  ledger: Ledger,
  process: ModelProcess,
  source: string,
  fail: (error: unknown) => void,
): Handler {
  return (message, context) => {
    // Nobody is there any more to see it.
    if (process.killed) return undefined
    let entry: Entry
    let call: ModelCall
    try {
      entry = ledger.find(source, message.id)
      call = ledger.started(entry, process.name, context.attempt, bench.now())
      process.running += 1
      const most = process.concurrency * process.consumers.length
      assert.ok(
        process.running <= most,
        `${process.running} handlers run in ${process.name}, and not ${most}`,
      )
    } catch (error) {
      fail(error)
      return undefined
    }
    const step = entry.script[entry.calls.length - 1] ?? { answer: 'ack', takesMs: 0, delayMs: 0 }
    const answer = (): unknown => {
      process.running -= 1
      const now = bench.now()
      call.endedAt = now
      call.answer = step.answer
      switch (step.answer) {
        case 'ack':
          return undefined
        case 'deadLetter':
          return context.deadLetter({ reason: 'scripted' })
        case 'release':
          call.notBefore = now + step.delayMs
          return context.release({ delayMs: step.delayMs })
        case 'retry':
          call.notBefore = now + step.delayMs
          return context.retry({ delayMs: step.delayMs })
        case 'throw':
          call.notBefore = now + retryDelayMs
          throw new Error('scripted')
      }
    }
    return step.takesMs === 0 ? answer() : bench.pause(step.takesMs).then(answer)
  }
}
