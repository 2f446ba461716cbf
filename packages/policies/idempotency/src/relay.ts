import { optionRules, checkTransport } from '@posthorn/transport/options'
import { fromOutbox } from './outbox-message.ts'
import { durationRule, storeRule } from './idempotency-options.ts'
import { FailureWarning } from './failure-warning.ts'
import { warn } from './warn.ts'
import type { ClaimedMessage, Store } from '@posthorn/store'
import type { Transport } from '@posthorn/transport'

export interface RelayOptions {
  /** Messages taken at a time. 1 to 1,000. Default 100. */
  readonly batch?: number
  /**
   * Milliseconds after which another relay may take what this one has, should it have died. Whole number from 1,000. Default
   * 30,000.
   */
  readonly leaseMs?: number
  /** Milliseconds between two looks into an outbox that was empty. Whole number from 1. Default 1,000. */
  readonly pollMs?: number
  /**
   * Told of each failure; what could not be sent is tried again. What it throws is warned of. Default: the first failure since
   * something was sent is a warning of the process.
   */
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

/** The longest wait of a message that could not be sent, and of a relay whose store has failed. Milliseconds. */
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
  const warning = new FailureWarning()
  const {
    batch = 100,
    leaseMs = 30_000,
    pollMs = 1_000,
    onFailure = (error) => warning.failed(error),
  } = options
  const { outbox } = store
  const { clock } = transport
  let sent = 0
  let isOver = false
  /** Rounds, one after the other, in which the store has failed. */
  let failures = 0
  let isNudged = false
  let wake = (): void => undefined

  const stopped = loop()
  const unwatch = transport.on('connection', ({ state }) => {
    if (state === 'closed') void stop()
  })

  async function loop(): Promise<void> {
    while (!isOver) {
      isNudged = false
      const goesOn = await round().catch((error: unknown) => {
        failures += 1
        tell(error)
        return false
      })
      if (!goesOn && !isNudged && !isOver) await sleep(failures === 0 ? pollMs : backoff(failures))
    }
  }

  /** Whether there is more to be sent at once. */
  async function round(): Promise<boolean> {
    // Half of the lease to begin in, and half for the answer: so nothing is sent that another relay may have by then.
    const halfMs = Math.ceil(leaseMs / 2)
    const until = clock.now() + halfMs
    const { fence, messages } = await outbox.claim({ limit: batch, leaseMs })
    const done: string[] = []
    /** By how long they are to wait. */
    const left = new Map<number, string[]>()
    await Promise.all(
      linesOf(messages).map(async (line) => {
        for (const [index, message] of line.entries()) {
          const isOurs = !isOver && clock.now() < until
          if (isOurs && (await deliver(message, halfMs))) {
            done.push(message.id)
            continue
          }
          // None of a key is sent before those ahead of it. Those of others do not wait for one that cannot be sent.
          const delayMs = isOurs ? backoff(message.claims) : 0
          const ids = left.get(delayMs) ?? []
          left.set(delayMs, ids)
          ids.push(...line.slice(index).map(({ id }) => id))
          return
        }
      }),
    )
    if (done.length > 0) await outbox.sent(done)
    sent += done.length
    if (done.length > 0) warning.succeeded()
    for (const [delayMs, ids] of left) await outbox.release({ fence, ids, delayMs })
    failures = 0
    return done.length > 0 && (messages.length === batch || left.has(0))
  }

  async function deliver(row: ClaimedMessage, timeoutMs: number): Promise<boolean> {
    try {
      const { kind, destination, message } = fromOutbox(row, clock.now())
      await transport[kind](destination, message, { timeoutMs })
      return true
    } catch (error) {
      tell(error)
      return false
    }
  }

  function tell(error: unknown): void {
    try {
      onFailure(error)
    } catch (thrown) {
      warn(thrown)
    }
  }

  function backoff(times: number): number {
    return Math.min(pollMs * 2 ** Math.min(times, 16), longestWaitMs)
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
    nudge() {
      isNudged = true
      wake()
    },
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
  leaseMs: durationRule,
  pollMs: optionRules.wholeNumber({ min: 1 }),
  onFailure: optionRules.callback(),
}
