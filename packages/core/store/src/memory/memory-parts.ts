/** What the parts of a memory store share. */
export interface MemoryParts {
  readonly maxClaims: number
  readonly maxRecords: number
  readonly maxMessages: number
  /** Epoch milliseconds. */
  now(): number
  /** The next number of the store's only counter, from which fences and versions come. */
  next(): number
}
