import { isStoreError, payloadHash, type OutboxMessage, type Store } from '@posthorn/store'
import { optionRules, systemClock } from '@posthorn/transport/options'
import {
  ackWith,
  isSettlement,
  PosthornError,
  type Clock,
  type Context,
  type Handler,
  type HandlerOutput,
  type Message,
  type OutgoingMessage,
  type SendOptions,
  type Settlement,
} from '@posthorn/transport'
import { FailureWarning } from './failure-warning.ts'
import { clockRule, durationRule, maxBatch, storeRule, thisProcess, week } from './idempotency-options.ts'
import { consumerAndId, keyConflict, keyOf, type MessageKey } from './message-key.ts'
import { tellOf, type OnRepetition } from './on-repetition.ts'
import { toOutbox } from './outbox-message.ts'
import { readResult, writeResult } from './result.ts'

export interface InboxOptions<Transaction> {
  /** One whose database has transactions: PostgreSQL or SQLite. */
  readonly store: Store<Transaction>
  /**
   * Opens a transaction in the same database, calls `work` with it, commits when that resolves and rolls back when it
   * rejects, with the same error.
   */
  readonly transaction: <Result>(work: (transaction: Transaction) => Promise<Result>) => Promise<Result>
  /** Default: the consumer (the source's name) and the message's id. */
  readonly key?: MessageKey
  /** Milliseconds for which a repetition is recognised. Default 604,800,000 (7 days). */
  readonly retentionMs?: number
  /** Whether what a handler returns is kept, to be the answer of a repetition. JSON. Default false. */
  readonly storeResults?: boolean
  /** Told of each message that was done before, and is acked without its handler. What it throws is warned of. */
  readonly onRepetition?: OnRepetition
  /** Default: the system's. */
  readonly clock?: Clock
}

/** What a handler of the inbox gets: `send` and `publish` are part of the transaction, and sent by a relay. */
export interface InboxContext<Transaction> extends Context {
  /** Open, and not to be ended by the handler. */
  readonly transaction: Transaction
}

export interface TransactionalInbox<Transaction> {
  /**
   * A handler whose writes in `transaction`, whose outputs and whose record become true together, or not at all. Only an
   * ack commits: a throw, a retry, a release and a dead letter roll back.
   */
  handler<Data = unknown>(
    handle: (message: Message<Data>, context: InboxContext<Transaction>) => unknown,
  ): Handler<Data>
}

/** Milliseconds for which a message waits for a database that opens no transaction; it spends no attempt. */
const databaseAwayMs = 1_000

/** Effectively once: the record of a message is written in the transaction of its effect. */
export function createInbox<Transaction>(
  options: InboxOptions<Transaction>,
): TransactionalInbox<Transaction> {
  optionRules.checkOptions('createInbox()', options, rules)
  const {
    store,
    transaction: run,
    key: from = consumerAndId,
    retentionMs = week,
    storeResults = false,
  } = options
  const { clock = systemClock, onRepetition } = options
  // Throws where there are none, naming what to use.
  if (store.capabilities.transactions.level === 'unsupported') store.in(undefined as Transaction)

  /** Nothing else tells of a database that opens no transaction, or of a `transaction` that cannot. */
  const warning = new FailureWarning()

  /** Resolves for what is to be committed. */
  async function handleIn<Data>(
    transaction: Transaction,
    key: string,
    message: Message<Data>,
    context: Context,
    handle: (message: Message<Data>, context: InboxContext<Transaction>) => unknown,
  ): Promise<Settlement> {
    const { claims, outbox } = store.in(transaction)
    const [answer] = await claims.claim([
      { key, owner: thisProcess(), leaseMs: unusedLeaseMs, payloadHash: payloadHash(message.data) },
    ])
    if (answer?.status === 'done') {
      tellOf(onRepetition, message, context)
      return ackWith(readResult(answer.result), true)
    }
    if (answer?.status === 'conflict') {
      const error = keyConflict(key)
      throw new RolledBack(context.deadLetter({ reason: 'idempotency-conflict', error }))
    }
    // Claimed by somebody who has committed that before the end.
    if (answer?.status !== 'claimed') throw new RolledBack(context.release({ delayMs: databaseAwayMs }))

    const outputs: OutboxMessage[] = []
    let hasEnded = false
    const put = async (output: HandlerOutput): Promise<void> => {
      if (hasEnded) throw tooLate(output.destination)
      outputs.push(toOutbox(message, context, outputs.length, output, clock.now()))
    }
    const returned = await handle(message, inboxContext(transaction, context, put))
    hasEnded = true
    const settlement = isSettlement(returned) ? returned : ackWith(returned)
    if (settlement.verb !== 'ack') throw new RolledBack(settlement)
    while (outputs.length > 0) await outbox.append(outputs.splice(0, maxBatch))
    const result = storeResults ? writeResult(settlement.value) : undefined
    await claims.complete([{ key, fence: answer.fence, result, retentionMs }])
    // Its time is over, or the message is somebody else's by now, who must find nothing of this.
    context.signal.throwIfAborted()
    return settlement
  }

  return {
    handler: (handle) => async (message, context) => {
      let wasOpened = false
      let key: string
      try {
        key = keyOf(from, message, context)
      } catch (error) {
        // Trying again would find the same.
        return context.deadLetter({ reason: 'no-idempotency-key', error })
      }
      try {
        return await run((transaction) => {
          wasOpened = true
          warning.succeeded()
          return handleIn(transaction, key, message, context, handle)
        })
      } catch (error) {
        if (error instanceof RolledBack) return error.settlement
        if (!wasOpened) warning.failed(error)
        if (!wasOpened || isDatabasesOwn(error)) return context.release({ delayMs: databaseAwayMs })
        throw error
      }
    },
  }
}

/** The database is away or busy, and the handler has not failed. */
function isDatabasesOwn(error: unknown): boolean {
  if (!isStoreError(error) || !error.retryable) return false
  // Of a handler that calls the store beside its transaction, which it will do again.
  return error.code !== 'POSTHORN_TRANSACTION_OPEN'
}

/** Nobody sees a claim before it is done, so its lease is never waited for. */
const unusedLeaseMs = 60_000

function tooLate(destination: string): PosthornError {
  const text = `A handler sent to "${destination}" after it had ended, so nothing was sent. Have it await all that it sends before it returns.`
  return new PosthornError('POSTHORN_CLOSED', text, { phase: 'publish', outcome: 'rejected' })
}

/** Ends a transaction without committing it; the handler has answered all the same. */
class RolledBack extends Error {
  readonly settlement: Settlement

  constructor(settlement: Settlement) {
    super('rolled back')
    this.settlement = settlement
  }
}

function inboxContext<Transaction>(
  transaction: Transaction,
  outer: Context,
  put: (output: HandlerOutput) => Promise<void>,
): InboxContext<Transaction> {
  const outputs = (kind: 'send' | 'publish') => ({
    value: (destination: string, message: OutgoingMessage, options?: SendOptions) =>
      put({ kind, destination, message, options }),
  })
  return Object.create(outer, {
    transaction: { value: transaction },
    send: outputs('send'),
    publish: outputs('publish'),
  }) as InboxContext<Transaction>
}

const rules: Readonly<Record<keyof InboxOptions<unknown>, optionRules.Rule>> = {
  store: storeRule,
  transaction: optionRules.required(optionRules.callback()),
  key: optionRules.callback(),
  retentionMs: durationRule,
  storeResults: optionRules.flag(),
  onRepetition: optionRules.callback(),
  clock: clockRule,
}
