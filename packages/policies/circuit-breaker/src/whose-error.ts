import { isPosthornError } from '@posthorn/transport'

const storeBrand = Symbol.for('posthorn.store-error')

/** Says nothing about any dependency: another breaker's refusal, a repeated message, a stop, an abort, a lost lease. */
const nobodys: ReadonlySet<string> = new Set([
  'POSTHORN_CIRCUIT_OPEN',
  'POSTHORN_CLOSED',
  'POSTHORN_ABORTED',
  'POSTHORN_LEASE_LOST',
  'POSTHORN_KEY_MISSING',
  'POSTHORN_KEY_CONFLICT',
  'POSTHORN_IN_PROGRESS',
])

/** Where a call is made: what Posthorn's own errors mean there differs. */
export type CallPlace = 'handler' | 'elsewhere'

/** Whether an error counts as a failure of the dependency. Never throws; `report` hears of a predicate that does. */
export function isDependencys(
  error: unknown,
  place: CallPlace,
  record: ((error: unknown) => boolean) | undefined,
  report: (error: unknown) => void,
): boolean {
  const own = isPosthornError(error)
  if (own && (nobodys.has(error.code) || storeBrand in error)) return false
  if (record === undefined) return !own || (place === 'elsewhere' && error.retryable)
  try {
    return record(error)
  } catch (thrown) {
    report(thrown)
    return true
  }
}
