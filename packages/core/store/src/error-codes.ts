/** Every code with what it means. Codes are stable: they are never renamed or given another meaning. */
export const storeErrorCodes = {
  POSTHORN_INVALID_OPTION: 'An option or argument has a value that cannot work.',
  POSTHORN_UNKNOWN_OPTION: 'An option of that name does not exist.',
  POSTHORN_UNSUPPORTED: 'This database cannot do what was asked.',
  POSTHORN_STORE_FAILED: 'The database could not be reached, or answered with an error.',
  POSTHORN_STORE_BUSY: 'Another transaction holds what is needed.',
  POSTHORN_STORE_FULL: 'The store is at its bound and holds nothing that has expired.',
  POSTHORN_STORE_NOT_MIGRATED: 'The tables of the store do not exist.',
  POSTHORN_TRANSACTION_MISSING: 'No transaction is open where one is needed.',
  POSTHORN_TRANSACTION_OPEN: 'A transaction is open that this is not part of.',
} as const

export type StoreErrorCode = keyof typeof storeErrorCodes
