import type { DeadLetterPage, DeadLetters, PassOptions, PassReport } from '../contract/dead-letter-tools.ts'
import type { DeadLetterEntry } from '../contract/driver.ts'
import { PosthornError } from '../errors.ts'
import { checkOptions, custom, text, wholeNumber } from '../options/check-options.ts'
import { showValue } from '../options/show-value.ts'
import { shownLetter } from './shown-letter.ts'
import { runPass, type OpenPass, type PassHost } from './run-pass.ts'

export interface DeadLetterToolsHost extends PassHost {
  /** The source, for errors. */
  readonly name: string
  count(): Promise<number>
  open(cursor: string | undefined): Promise<OpenPass>
}

const passRules = {
  signal: custom('an AbortSignal', (value) => value instanceof AbortSignal),
  atATime: wholeNumber({ min: 1, max: 100 }),
}
const readAtATime = 100
const nothing: PassReport = { kept: 0, replayed: 0, discarded: 0, failed: 0 }

type Decide = Parameters<DeadLetters['pass']>[0]

/** The work on one source's dead letters, on the driver's one pass. */
export function createDeadLetterTools(host: DeadLetterToolsHost): DeadLetters {
  const where = `deadLetters(${showValue(host.name)})`

  const pass = async (
    call: string,
    decide: Decide,
    options: PassOptions = {},
    isDone = () => false,
  ): Promise<PassReport> => {
    checkOptions(`${where}.${call}`, options, passRules)
    const { signal, atATime = readAtATime } = options
    if (signal?.aborted === true) return nothing
    const opened = await host.open(undefined)
    return runPass(opened, decide, () => signal?.aborted === true || isDone(), atATime, host)
  }

  const chosen = (
    ids: 'all' | readonly string[],
    choice: 'replay' | 'discard',
    options?: PassOptions,
  ): Promise<PassReport> => {
    if (ids === 'all') return pass(choice, () => choice, options)
    if (!Array.isArray(ids) || ids.some((id) => typeof id !== 'string')) {
      throw refusal(
        `${where}.${choice} takes 'all' or an array of entry ids, as page() lists them, and got ${showValue(ids)}.`,
      )
    }
    const wanted = new Set<string>(ids)
    if (wanted.size === 0) return Promise.resolve(nothing)
    return pass(
      choice,
      ({ entryId }) => (wanted.delete(entryId) ? choice : 'keep'),
      options,
      () => wanted.size === 0,
    )
  }

  return {
    count: () => host.count(),
    page: async (options = {}): Promise<DeadLetterPage> => {
      checkOptions(`${where}.page`, options, { limit: wholeNumber({ min: 1, max: 10_000 }), cursor: text() })
      const { limit = 50, cursor } = options
      const opened = await host.open(cursor)
      let entries: readonly DeadLetterEntry[]
      try {
        entries = await opened.read(limit)
        await opened.decide(entries.map((entry) => ({ entry, decision: 'keep', message: entry.message })))
      } catch (error) {
        await opened.close().catch(() => {})
        throw error
      }
      return { cursor: await opened.close(), entries: entries.map(shownLetter) }
    },
    pass: async (decide, options) => {
      if (typeof decide !== 'function') {
        throw refusal(
          `${where}.pass takes a function that decides on each entry, and got ${showValue(decide)}.`,
        )
      }
      return pass('pass', decide, options)
    },
    replay: async (ids, options) => chosen(ids, 'replay', options),
    discard: async (ids, options) => chosen(ids, 'discard', options),
  }
}

function refusal(message: string): PosthornError {
  return new PosthornError('POSTHORN_INVALID_OPTION', message, { phase: 'options' })
}
