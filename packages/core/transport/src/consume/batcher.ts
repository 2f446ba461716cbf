import type { Clock } from '../contract/clock.ts'
import type { Context } from '../contract/context.ts'
import type { Message } from '../contract/message.ts'
import type { BatchContext, BatchHandler, Next } from '../contract/middleware.ts'
import type { Settlement } from '../contract/settlement.ts'
import { PosthornError } from '../errors.ts'
import { Run } from './run.ts'
import { ack, isSettlement, releaseAfter } from './settlement.ts'

interface Waiting {
  readonly message: Message
  readonly context: Context
  readonly resolve: (settlement: Settlement) => void
  readonly reject: (error: unknown) => void
}

export interface BatcherOptions {
  readonly source: string
  readonly handler: BatchHandler<never>
  readonly clock: Clock
  /** Messages of a batch at most. */
  readonly max: number
  readonly waitMs: number
  /** Calls of the handler at a time. */
  readonly concurrency: () => number
  /** The time of this message's handler begins now. */
  readonly begun: (run: Run) => void
}

/**
 * The last stage of a batch consumer: each message comes through its middleware alone and waits here until its batch is
 * full, or its first message has waited long enough.
 */
export class Batcher {
  private readonly options: BatcherOptions
  private readonly handle: BatchHandler
  private gathering: Waiting[] = []
  private cancelTimer: (() => void) | undefined = undefined
  private due = false
  /** Calls of the handler that have not ended. */
  private active = 0

  constructor(options: BatcherOptions) {
    this.options = options
    this.handle = options.handler as BatchHandler
  }

  /** Messages that wait for their batch. */
  get waiting(): number {
    return this.gathering.length
  }

  /** Whether no further batch can begin. */
  get full(): boolean {
    return this.active >= this.options.concurrency()
  }

  readonly next: Next = (message, context) =>
    new Promise((resolve, reject) => {
      // Its handler's time begins with its batch.
      if (context instanceof Run) context.restartTime(Infinity)
      this.gathering.push({ message, context, resolve, reject })
      if (this.gathering.length === 1)
        this.cancelTimer = this.options.clock.setTimer(() => this.flush(), this.options.waitMs)
      this.begin()
    })

  /** Waits for no further messages. */
  readonly flush = (): void => {
    this.due = this.gathering.length > 0
    this.begin()
  }

  /** Begins what is due and may be, without the messages that are not ours any more or come too late. */
  begin(): void {
    const { max } = this.options
    while (this.gathering.length > 0 && !this.full && (this.due || this.gathering.length >= max)) {
      const batch = this.gathering.splice(0, max).filter(isWanted)
      this.emptied()
      if (batch.length === 0) continue
      this.active++
      void this.run(batch).finally(() => {
        this.active--
        this.begin()
      })
    }
  }

  /** Sends away what waits and need not any more. */
  purge(): void {
    this.gathering = this.gathering.filter(isWanted)
    this.emptied()
  }

  private emptied(): void {
    if (this.gathering.length > 0) return
    this.due = false
    this.cancelTimer?.()
  }

  private async run(batch: readonly Waiting[]): Promise<void> {
    const { source, clock, begun } = this.options
    const contexts = batch.map((one) => one.context)
    const now = clock.now()
    for (const context of contexts) {
      if (!(context instanceof Run)) continue
      context.restartTime(now)
      begun(context)
    }
    try {
      const messages = batch.map((one) => one.message)
      const answer: unknown = await this.handle(messages, batchContext(source, contexts))
      const answers = Array.isArray(answer) ? answersPerItem(answer, batch.length, source) : undefined
      for (const [index, one] of batch.entries()) {
        const own: unknown = answers === undefined ? answer : answers[index]
        one.resolve(isSettlement(own) ? own : ack)
      }
    } catch (error) {
      for (const one of batch) one.reject(error)
    }
  }
}

function isWanted({ context, resolve }: Waiting): boolean {
  if (!(context instanceof Run) || (!context.lost && !context.shutDown)) return true
  resolve(releaseAfter(0))
  return false
}

/** Of another length it cannot be told which settlement is whose, and an ack could lose what was to be retried. */
function answersPerItem(answers: readonly unknown[], count: number, source: string): readonly unknown[] {
  if (answers.length === count) return answers
  if (!answers.some(isSettlement)) return []
  throw new PosthornError(
    'POSTHORN_INVALID_SETTLEMENT',
    `The batch handler of "${source}" answered ${answers.length} items for ${count} messages, settlements among them. ` +
      'Return one item for each message, in order.',
    { phase: 'handle' },
  )
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
