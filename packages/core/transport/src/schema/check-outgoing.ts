import { isPromiseLike } from '../consume/is-promise-like.ts'
import { PosthornError } from '../errors.ts'
import { nearestName } from '../options/nearest-name.ts'
import { showValue } from '../options/show-value.ts'
import { describeIssues } from './describe-issues.ts'
import { listNames } from './list-names.ts'
import type { StandardResult, StandardSchema } from './standard-schema.ts'

export interface OutgoingEntry {
  readonly type: string
  readonly data: unknown
}

/**
 * Checks messages against the schemas of their types before any of them is sent. Throws `POSTHORN_SCHEMA_MISMATCH`, or
 * rejects with it where a schema is asynchronous; then nothing may be sent. Without schemas they need a type all the same,
 * or they would be taken for messages of the type that the queue's or topic's name is. `where` is the call as a reader would write
 * it, and `noun` what a message is called there. The schemas' issues are the error's `cause`.
 */
export function checkOutgoing(
  where: string,
  noun: string,
  schemas: Readonly<Record<string, StandardSchema>> | undefined,
  entries: readonly OutgoingEntry[],
): Promise<void> | undefined {
  // What is no array of messages, sending refuses.
  if (!Array.isArray(entries)) return undefined
  if (schemas === undefined) {
    refuseNameless(where, noun, entries)
    return undefined
  }
  const results = entries.map((entry: OutgoingEntry | null | undefined) => {
    const schema =
      entry?.type !== undefined && Object.hasOwn(schemas, entry.type) ? schemas[entry.type] : undefined
    return schema?.['~standard'].validate(entry?.data) ?? unknownType(noun, entry?.type, Object.keys(schemas))
  })
  if (results.some(isPromiseLike)) {
    const settled = Promise.all(results.map(async (result) => result))
    return settled.then((all) => refuseInvalid(where, noun, entries, all))
  }
  refuseInvalid(where, noun, entries, results as readonly StandardResult<unknown>[])
  return undefined
}

function refuseNameless(
  where: string,
  noun: string,
  entries: readonly (OutgoingEntry | null | undefined)[],
): void {
  const index = entries.findIndex((entry) => entry?.type === undefined && entry instanceof Object)
  if (index === -1) return
  const which = entries.length === 1 ? '' : ` at [${index}]`
  throw new PosthornError(
    'POSTHORN_INVALID_MESSAGE',
    `${where}: the name of the ${noun}${which} is missing. Nothing was sent.`,
    {
      phase: 'publish',
      outcome: 'rejected',
    },
  )
}

function unknownType(noun: string, type: unknown, known: readonly string[]): StandardResult<never> {
  const near = typeof type === 'string' ? nearestName(type, known) : undefined
  const suggestion = near === undefined ? '' : ` Did you mean "${near}"?`
  return {
    issues: [{ message: `there is no ${noun} ${showValue(type)}.${suggestion} Known: ${listNames(known)}` }],
  }
}

function refuseInvalid(
  where: string,
  noun: string,
  entries: readonly OutgoingEntry[],
  results: readonly StandardResult<unknown>[],
): void {
  const invalid = results.flatMap((result, index) =>
    result.issues === undefined ? [] : [{ index, issues: result.issues }],
  )
  const [first] = invalid
  if (first === undefined) return
  const type = entries[first.index]?.type
  const which =
    entries.length === 1 ? `The ${noun} ${showValue(type)}` : `${noun} ${showValue(type)} at [${first.index}]`
  const others = invalid.length === 1 ? '' : ` ${invalid.length} of ${entries.length} do not.`
  throw new PosthornError(
    'POSTHORN_SCHEMA_MISMATCH',
    `${where}: ${which} does not fit its schema: ${describeIssues(first.issues)}.${others} Nothing was sent.`,
    { phase: 'publish', outcome: 'rejected', cause: first.issues },
  )
}
