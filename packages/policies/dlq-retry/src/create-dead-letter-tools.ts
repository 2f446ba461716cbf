import {
  PosthornError,
  type DeadLetter,
  type DeadLetterChoice,
  type PassReport,
  type SourceRef,
  type Transport,
} from '@posthorn/transport'
import { checkTransport, optionRules, passedOn } from '@posthorn/transport/options'
import { createMatches, isEmpty, type DeadLetterFilter, type Matches } from './dead-letter-filter.ts'
import type { DeadLetterReport, DeadLetterTools, ReplayOptions, WalkOptions } from './dead-letter-tools.ts'
import { viewOf, type DeadLetterView } from './dead-letter-view.ts'
import { editDeadLetter } from './edit-dead-letter.ts'
import { DeadLetterGrouping } from './group-dead-letters.ts'
import { Pace } from './pace.ts'

const { callback, checkOptions, custom, flag, text, wholeNumber } = optionRules

const maxScanned = 10_000
/** A paced replay carries out at once what would go within so many milliseconds. */
const burstMs = 100
const readAtATime = 100

const listRules = { filter: passedOn, limit: wholeNumber({ min: 1, max: 1_000 }), cursor: text() }
const walkRules = {
  dryRun: flag(),
  limit: wholeNumber({ min: 1 }),
  onEntry: callback(),
  signal: custom('an AbortSignal', (value) => value instanceof AbortSignal),
} satisfies Record<keyof WalkOptions, optionRules.Rule>
const replayRules = {
  ...walkRules,
  perSecond: custom('a number from 0.1', (value) => Number.isFinite(value) && (value as number) >= 0.1),
  edit: callback(),
} satisfies Record<keyof ReplayOptions, optionRules.Rule>

/** Tools for operators; see `DeadLetterTools`. They hold nothing open between calls. */
export function createDeadLetterTools(transport: Transport, source: SourceRef): DeadLetterTools {
  checkTransport('createDeadLetterTools()', transport)
  const { clock } = transport
  const letters = transport.deadLetters(source)
  const name = nameOf(source)
  const where = (call: string): string => `${call} of the dead letters of "${name}"`

  const walk = async (
    matches: Matches,
    options: WalkOptions,
    decide: (entry: DeadLetter, signal: AbortSignal) => DeadLetterChoice | Promise<DeadLetterChoice>,
    atATime = readAtATime,
  ): Promise<DeadLetterReport> => {
    const { limit = Infinity, dryRun = false, onEntry, signal } = options
    const enough = new AbortController()
    const ends = signal === undefined ? enough.signal : AbortSignal.any([enough.signal, signal])
    let matched = 0
    const report: PassReport = await letters.pass(
      async (entry) => {
        if (!matches(entry)) return 'keep'
        matched++
        onEntry?.(entry)
        const choice = dryRun ? 'keep' : await decide(entry, ends)
        if (matched >= limit) enough.abort()
        return choice
      },
      { signal: ends, atATime },
    )
    return { ...report, matched }
  }

  /** Looks at all that fit and keeps them. */
  const look = async (
    filter: DeadLetterFilter,
    call: string,
    see: (entry: DeadLetter) => void,
  ): Promise<number> => {
    const { matched } = await walk(
      createMatches(where(call), filter),
      { dryRun: true, onEntry: see },
      () => 'keep',
    )
    return matched
  }

  const chosen = (call: string, filter: 'all' | DeadLetterFilter): Matches => {
    if (filter === 'all') return () => true
    const matches = createMatches(where(call), filter)
    if (isEmpty(filter))
      throw refusal(`The filter of ${where(call)} names nothing. Say 'all' where all of them are meant.`)
    return matches
  }

  return {
    source: name,
    count: async (filter) =>
      filter === undefined || isEmpty(filter) ? letters.count() : look(filter, 'count', () => {}),

    async list(options = {}) {
      checkOptions(where('list'), options, listRules)
      const { filter = {}, limit = 50 } = options
      const matches = createMatches(where('list'), filter)
      const entries: DeadLetter[] = []
      let { cursor } = options
      for (let scanned = 0; entries.length < limit && scanned < maxScanned;) {
        const page = await letters.page({
          limit: limit - entries.length,
          ...(cursor === undefined ? {} : { cursor }),
        })
        scanned += page.entries.length
        entries.push(...page.entries.filter(matches))
        cursor = page.cursor
        if (cursor === undefined) break
      }
      return { entries, cursor }
    },

    async groups(filter = {}) {
      const grouping = new DeadLetterGrouping()
      await look(filter, 'groups', (entry) => grouping.add(entry))
      return grouping.result()
    },

    async show(entryId) {
      let shown: DeadLetterView | undefined
      const matches = createMatches(where('show'), { entryIds: [entryId] })
      const see = (entry: DeadLetter): void => void (shown = viewOf(entry))
      await walk(matches, { dryRun: true, limit: 1, onEntry: see }, () => 'keep')
      return shown
    },

    async replay(filter, options = {}) {
      checkOptions(where('replay'), options, replayRules)
      const { perSecond, edit } = options
      const matches = chosen('replay', filter)
      const pace = perSecond === undefined ? undefined : new Pace(clock, perSecond)
      const decide = async (entry: DeadLetter, signal: AbortSignal): Promise<DeadLetterChoice> => {
        if (pace !== undefined && !(await pace.turn(signal))) return 'keep'
        return (edit === undefined ? undefined : await editDeadLetter(entry, edit)) ?? 'replay'
      }
      return walk(matches, options, decide, atATime(perSecond))
    },

    async discard(filter, options = {}) {
      checkOptions(where('discard'), options, walkRules)
      return walk(chosen('discard', filter), options, () => 'discard')
    },
  }
}

function atATime(perSecond: number | undefined): number {
  if (perSecond === undefined) return readAtATime
  return Math.min(readAtATime, Math.max(1, Math.floor((perSecond * burstMs) / 1_000)))
}

function nameOf(source: SourceRef): string {
  if (typeof source === 'string') return source
  return 'queue' in source ? source.queue : `${source.topic}/${source.group}`
}

function refusal(message: string): PosthornError {
  return new PosthornError('POSTHORN_INVALID_OPTION', message, { phase: 'options' })
}
