import { optionRules, checkTransport } from '@posthorn/transport/options'
import { fromOutbox } from './outbox-message.ts'
import { storeRule } from './idempotency-options.ts'
import type { ClaimedMessage, Store } from '@posthorn/store'
import type { Transport } from '@posthorn/transport'

export interface RelayOptions {
  /** Messages taken at a time. 1 to 1,000. Default 100. */
  readonly batch?: number
  /** Milliseconds after which another relay may take what this one has, should it have died. From 1,000. Default 30,000. */
  readonly leaseMs?: number
  /** Milliseconds between two looks into an outbox that was empty. Default 1,000. */
  readonly pollMs?: number
  /** Told of each failure; what could not be sent is tried again. What it throws is warned of. */
  readonly onFailure?: (error: unknown) => void
}

export interface Relay extends AsyncDisposable {
  /** Looks now instead of at the next poll; after a commit, in the process that made it. */
  nudge(): void
  /** Messages that the broker has confirmed. */
  readonly sent: number
  /** Ends what has begun and gives back the rest. The end of its transport stops it, too. */
  stop(): Promise<void>
}

/** Waits after failures, at most. Milliseconds. */
const longestWaitMs = 30_000

/**
 * Sends what handlers of an inbox have written into the outbox, under the ids that it has there: at least once, in order by
 * key. Several may run at once, in any process.
 */
export function createRelay(
  store: Pick<Store, 'outbox' | 'claims'>,
  transport: Transport,
  options: RelayOptions = {},
): Relay {
  optionRules.checkOptions('createRelay()', { ...options, store }, rules)
  checkTransport('createRelay()', transport)
  const { batch = 100, leaseMs = 30_000, pollMs = 1_000, onFailure } = options
  const { outbox } = store
  const { clock } = transport
  let sent = 0
  let isOver = false
  let failures = 0
  let wake = (): void => undefined

  const stopped = loop()
  const unwatch = transport.on('connection', ({ state }) => {
    if (state === 'closed') void stop()
  })

  async function loop(): Promise<void> {
    while (!isOver) {
      const goesOn = await round().catch((error: unknown) => {
        failures += 1
        tell(error)
        return false
      })
      if (!goesOn && !isOver) await sleep(failures === 0 ? pollMs : backoff())
    }
  }

  /** Whether there is more to be sent at once. */
  async function round(): Promise<boolean> {
    const { fence, messages } = await outbox.claim({ limit: batch, leaseMs })
    if (messages.length === 0) {
      failures = 0
      return false
    }
    const done: string[] = []
    const left: string[] = []
    await Promise.all(
      linesOf(messages).map(async (line) => {
        for (const [index, message] of line.entries()) {
          const isDone = await deliver(message)
          if (isDone) done.push(message.id)
          // None of a key is sent before those ahead of it.
          else return left.push(...line.slice(index).map(({ id }) => id))
        }
        return left.length
      }),
    )
    if (done.length > 0) await outbox.sent(done)
    sent += done.length
    failures = left.length === 0 ? 0 : failures + 1
    if (left.length > 0) await outbox.release({ fence, ids: left, delayMs: backoff() })
    return messages.length === batch && done.length > 0
  }

  async function deliver(row: ClaimedMessage): Promise<boolean> {
    if (isOver) return false
    try {
      const { kind, destination, message } = fromOutbox(row, clock.now())
      // So that the lease is still ours when it is answered.
      await transport[kind](destination, message, { timeoutMs: Math.ceil(leaseMs / 2) })
      return true
    } catch (error) {
      tell(error)
      return false
    }
  }

  function tell(error: unknown): void {
    try {
      onFailure?.(error)
    } catch (thrown) {
      process.emitWarning(thrown instanceof Error ? thrown : String(thrown))
    }
  }

  function backoff(): number {
    return Math.min(pollMs * 2 ** Math.min(failures, 16), longestWaitMs)
  }

  function sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.setTimer(() => resolve(), delayMs)
      wake = () => {
        cancel()
        resolve()
      }
    })
  }

  async function stop(): Promise<void> {
    isOver = true
    unwatch()
    wake()
    await stopped
  }

  return {
    nudge: () => wake(),
    get sent() {
      return sent
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** Messages of one key one after the other, all else side by side. */
function linesOf(messages: readonly ClaimedMessage[]): readonly (readonly ClaimedMessage[])[] {
  const alone: ClaimedMessage[][] = []
  const keyed = new Map<string, ClaimedMessage[]>()
  for (const message of messages) {
    const line = message.key === undefined ? undefined : keyed.get(message.key)
    if (line !== undefined) line.push(message)
    else if (message.key !== undefined) keyed.set(message.key, [message])
    else alone.push([message])
  }
  return [...alone, ...keyed.values()]
}

const rules: Readonly<Record<keyof RelayOptions | 'store', optionRules.Rule>> = {
  store: storeRule,
  batch: optionRules.wholeNumber({ min: 1, max: 1_000 }),
  leaseMs: optionRules.duration({ min: 1_000 }),
  pollMs: optionRules.duration({ min: 1 }),
  onFailure: optionRules.callback(),
}
