import { matchesPattern, type DeadLetter } from '@posthorn/transport'
import { optionRules } from '@posthorn/transport/options'

const { callback, checkOptions, custom, list, required, text, wholeNumber } = optionRules

/** Which dead letters are meant. All fields that are there must fit; each fits when one of its values does. */
export interface DeadLetterFilter {
  /** As `list` names them. */
  readonly entryIds?: readonly string[]
  /** Of the messages. */
  readonly ids?: readonly string[]
  /** Message types, or AMQP patterns of them. */
  readonly types?: string | readonly string[]
  readonly reasons?: string | readonly string[]
  /** Names or codes. */
  readonly errors?: string | readonly string[]
  /** Names of handlers. */
  readonly handlers?: string | readonly string[]
  /** Ordering keys. */
  readonly keys?: string | readonly string[]
  /** Dead-lettered at or after this moment. Epoch milliseconds, or a date. */
  readonly after?: number | Date
  /** Dead-lettered before this moment. Epoch milliseconds, or a date. */
  readonly before?: number | Date
  /** Replayed so often already, at most: 0 leaves out what has come back once. */
  readonly maxReplays?: number
  /** Anything else. */
  readonly test?: (entry: DeadLetter) => boolean
}

export type Matches = (entry: DeadLetter) => boolean

const moment = custom(
  'epoch milliseconds, or a date',
  (value) => Number.isFinite(value) || (value instanceof Date && !Number.isNaN(value.getTime())),
)
const words = custom(
  'a string, or an array of such',
  (value) =>
    typeof value === 'string' || (Array.isArray(value) && value.every((one) => typeof one === 'string')),
)

const rules = {
  entryIds: list(required(text())),
  ids: list(required(text())),
  types: words,
  reasons: words,
  errors: words,
  handlers: words,
  keys: words,
  after: moment,
  before: moment,
  maxReplays: wholeNumber(),
  test: callback(),
} satisfies Record<keyof DeadLetterFilter, optionRules.Rule>

/** `where` is the call as a reader would write it. */
export function createMatches(where: string, filter: DeadLetterFilter): Matches {
  checkOptions(where, filter, rules)
  const { entryIds, ids, types, reasons, errors, handlers, keys, test } = filter
  const after = Number(filter.after ?? -Infinity)
  const before = Number(filter.before ?? Infinity)
  const { maxReplays = Infinity } = filter
  const checks: Matches[] = [
    ({ deadLetteredAt }) => deadLetteredAt >= after && deadLetteredAt < before,
    ({ replays }) => replays <= maxReplays,
    ...oneOf(entryIds, ({ entryId }) => [entryId]),
    ...oneOf(ids, ({ id }) => [id]),
    ...oneOf(reasons, ({ reason }) => [reason]),
    ...oneOf(errors, ({ error }) => [error?.name, error?.code]),
    ...oneOf(handlers, ({ handler }) => [handler]),
    ...oneOf(keys, ({ key }) => [key]),
  ]
  const patterns = types === undefined ? undefined : [types].flat()
  if (patterns !== undefined)
    checks.push(({ type }) => patterns.some((pattern) => matchesPattern(pattern, type)))
  if (test !== undefined) checks.push(test)
  return (entry) => checks.every((fits) => fits(entry))
}

/** Whether it names anything at all. */
export function isEmpty(filter: DeadLetterFilter): boolean {
  return Object.values(filter).every((value) => value === undefined)
}

function oneOf(
  wanted: string | readonly string[] | undefined,
  found: (entry: DeadLetter) => readonly (string | undefined)[],
): Matches[] {
  if (wanted === undefined) return []
  const values = new Set<string | undefined>([wanted].flat())
  return [(entry) => found(entry).some((value) => value !== undefined && values.has(value))]
}
