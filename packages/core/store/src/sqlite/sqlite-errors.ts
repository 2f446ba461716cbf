import { isStoreError, StoreError } from '../store-error.ts'

const busyCode = 5
const lockedCode = 6

/** What SQLite threw, as an error of the store. */
export function fromSqlite(error: unknown): StoreError {
  if (isStoreError(error)) return error
  const message = error instanceof Error ? error.message : String(error)
  const { errcode } = error as { readonly errcode?: unknown }
  // The upper bits tell more of the same.
  const code = typeof errcode === 'number' ? errcode & 0xff : undefined
  if (code === busyCode || code === lockedCode) {
    const text = `SQLite is busy: ${message}. Another connection is writing; do it again when that has ended.`
    return new StoreError('POSTHORN_STORE_BUSY', text, { retryable: true, cause: error })
  }
  if (message.includes('no such table')) {
    const text = `${message}. Call migrate() once, or run the statements of sqliteSchema().`
    return new StoreError('POSTHORN_STORE_NOT_MIGRATED', text, { cause: error })
  }
  return new StoreError('POSTHORN_STORE_FAILED', `SQLite failed: ${message}`, { cause: error })
}
