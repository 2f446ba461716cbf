import type { DeadLetter, DeadLetterChoice, DeadLetterPage, DeadLetters, PassOptions, PassReport } from '../contract/dead-letter-tools.ts'
import type { DeadLetterDecision, DeadLetterEntry, DeadLetterPass, DriverConnection, SettleOutcome, Source } from '../contract/driver.ts'
import type { WireMessage } from '../contract/wire-message.ts'
import { PosthornError } from '../errors.ts'
import { checkOptions, custom, text, wholeNumber } from '../options/check-options.ts'

const readAtATime = 100

/** The work on one source's dead letters, on the driver's one pass. */
export function createDeadLetterTools(source: Source, name: string, connect: () => Promise<DriverConnection>): DeadLetters {
  const open = async (cursor: string | undefined): Promise<DeadLetterPass> =>
    (await connect()).openDeadLetters(source, cursor)

  const pass = async (
    decide: (entry: DeadLetter) => DeadLetterChoice | Promise<DeadLetterChoice>,
    options: PassOptions = {},
    done: () => boolean = () => false,
  ): Promise<PassReport> => {
    checkOptions(`deadLetters("${name}").pass`, options, { signal: signalRule })
    const over = (): boolean => options.signal?.aborted === true || done()
    const counts: Counts = { kept: 0, replayed: 0, discarded: 0, failed: 0 }
    const running = await open(undefined)
    try {
      for (;;) {
        if (over()) break
        const entries = await running.read(readAtATime)
        if (entries.length === 0) break
        const decisions: DeadLetterDecision[] = []
        try {
          for (const entry of entries) {
            if (over()) break
            decisions.push(decision(entry, await decide(deadLetter(entry))))
          }
        } finally {
          // What was decided before a callback threw is carried out all the same.
          count(decisions, await running.decide(decisions), counts)
        }
      }
    } finally {
      await running.close()
    }
    return counts
  }

  const chosen = (ids: 'all' | readonly string[], choice: DeadLetterChoice, options?: PassOptions): Promise<PassReport> => {
    if (ids === 'all') return pass(() => choice, options)
    if (!Array.isArray(ids) || ids.some((id) => typeof id !== 'string')) {
      throw new PosthornError(
        'POSTHORN_INVALID_OPTION',
        `deadLetters("${name}").${choice} takes 'all' or an array of entry ids, as page() lists them.`,
        { phase: 'options' },
      )
    }
    const wanted = new Set<string>(ids)
    return pass(
      (entry) => (wanted.delete(entry.entryId) ? choice : 'keep'),
      options,
      () => wanted.size === 0,
    )
  }

  return {
    count: async () => (await connect()).countDeadLetters(source),
    page: async (options = {}): Promise<DeadLetterPage> => {
      checkOptions(`deadLetters("${name}").page`, options, { limit: wholeNumber({ min: 1, max: 10_000 }), cursor: text() })
      const running = await open(options.cursor)
      let cursor: string | undefined
      let entries: readonly DeadLetterEntry[] = []
      try {
        entries = await running.read(options.limit ?? 50)
        await running.decide(entries.map((entry) => ({ entry, decision: 'keep', message: entry.message })))
      } finally {
        cursor = await running.close()
      }
      return { entries: entries.map(deadLetter), cursor }
    },
    pass: (decide, options) => pass(decide, options),
    replay: async (ids, options) => chosen(ids, 'replay', options),
    discard: async (ids, options) => chosen(ids, 'discard', options),
  }
}

const signalRule = custom('an AbortSignal', (value) => value instanceof AbortSignal)

function decision(entry: DeadLetterEntry, choice: DeadLetterChoice): DeadLetterDecision {
  if (choice !== 'keep' && choice !== 'replay' && choice !== 'discard') {
    throw new PosthornError(
      'POSTHORN_INVALID_OPTION',
      `A pass decides 'keep', 'replay' or 'discard' on each entry, and got ${String(choice)}. Nothing was done about ${entry.entryId}.`,
      { phase: 'options' },
    )
  }
  return { entry, decision: choice, message: choice === 'replay' ? withFreshBudget(entry.message) : entry.message }
}

interface Counts {
  kept: number
  replayed: number
  discarded: number
  failed: number
}

function count(decisions: readonly DeadLetterDecision[], outcomes: readonly SettleOutcome[], counts: Counts): void {
  for (const [index, one] of decisions.entries()) {
    const outcome = outcomes[index]
    if (outcome !== 'confirmed' && outcome !== 'sent') counts.failed++
    else if (one.decision === 'keep') counts.kept++
    else if (one.decision === 'replay') counts.replayed++
    else counts.discarded++
  }
}

/** The same message, as new: all its attempts are before it. */
function withFreshBudget(message: WireMessage): WireMessage {
  return {
    ...message,
    notBefore: undefined,
    attempt: 1,
    releases: 0,
    replays: message.replays + 1,
    firstFailedAt: undefined,
    lastFailedAt: undefined,
    lastError: undefined,
  }
}

function deadLetter(entry: DeadLetterEntry): DeadLetter {
  const { message, record, entryId } = entry
  const { id, type, time, contentType, headers, key, routingKey, correlationId, causationId, expiresAt, replays } = message
  // A copy of the bytes: whoever looks at them must not change what is kept.
  const body = Uint8Array.from(message.body)
  const shown = { ...headers }
  return { ...record, entryId, id, type, time, body, contentType, headers: shown, key, routingKey, correlationId, causationId, expiresAt, replays }
}
