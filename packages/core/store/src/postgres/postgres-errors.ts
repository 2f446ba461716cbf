import { isStoreError, StoreError } from '../store-error.ts'

const undefinedTable = '42P01'
/** Serialization failure, deadlock, lock not available. */
const busy: readonly string[] = ['40001', '40P01', '55P03']
/** Classes of states that pass: no connection, no resources, an operator's intervention, trouble of the system. */
const passing: readonly string[] = ['08', '53', '57', '58']

/** What the client rejected with, as an error of the store. */
export function fromPostgres(error: unknown): StoreError {
  if (isStoreError(error)) return error
  const message = error instanceof Error ? error.message : String(error)
  const { code } = (error ?? {}) as { readonly code?: unknown }
  // Five characters with a digit among them, unlike EPIPE.
  const state = typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) ? code : undefined
  if (state === undefinedTable) {
    const text = `${message}. Call migrate() once, or run the statements of postgresSchema().`
    return new StoreError('POSTHORN_STORE_NOT_MIGRATED', text, { cause: error })
  }
  if (state !== undefined && busy.includes(state)) {
    const text = `PostgreSQL could not do it beside another transaction: ${message}. Do it again, from the start of a transaction of your own.`
    return new StoreError('POSTHORN_STORE_BUSY', text, { retryable: true, cause: error })
  }
  // Without a state it did not come from the server, but from the way there.
  const retryable = state === undefined || passing.includes(state.slice(0, 2))
  return new StoreError('POSTHORN_STORE_FAILED', `PostgreSQL failed: ${message}`, { retryable, cause: error })
}
