import type { StoreErrorCode } from './error-codes.ts'

const brand = Symbol.for('posthorn.store-error')

export interface StoreErrorDetails {
  readonly phase?: 'options' | 'store'
  readonly retryable?: boolean
  readonly cause?: unknown
}

/**
 * Every error of a store. `message` says what was wrong, with which value, and what to do next; `code` is stable and listed
 * in `storeErrorCodes`. Recognise it with `isStoreError`, which also works when an application holds two copies of the
 * package.
 */
export class StoreError extends Error {
  readonly code: StoreErrorCode
  readonly phase: 'options' | 'store'
  /** Whether doing the same again may succeed. Whether it was done the first time is not known. */
  readonly retryable: boolean

  constructor(code: StoreErrorCode, message: string, details: StoreErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.phase = details.phase ?? 'store'
    this.retryable = details.retryable ?? false
  }
}
// On the prototype, so that they are neither own fields of each error nor part of what `inspect` shows. The second brand
// makes it one of the errors that `isPosthornError` of the transport knows.
Object.defineProperty(StoreError.prototype, 'name', {
  value: 'StoreError',
  configurable: true,
  writable: true,
})
Object.defineProperty(StoreError.prototype, brand, { value: true })
Object.defineProperty(StoreError.prototype, Symbol.for('posthorn.error'), { value: true })

/** True for a `StoreError` of any copy of the package. Never throws. */
export function isStoreError(value: unknown): value is StoreError {
  try {
    return typeof value === 'object' && value !== null && (value as { [brand]?: unknown })[brand] === true
  } catch {
    return false
  }
}
