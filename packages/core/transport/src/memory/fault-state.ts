import type { ErrorCode } from '../error-codes.ts'

/** What the faults have left to do. The broker looks here at each step that can fail. */
export class FaultState {
  /** Sources that hand out nothing. */
  readonly stalled: Set<string> = new Set()
  refusesConnections = false
  refusesForGood = false
  /** Why publishes are blocked. */
  blocked: string | undefined = undefined
  frozen = false
  /** Publishes to store and not confirm. */
  confirmations = 0
  /** Publishes to reject with `rejectionCode`. */
  rejections = 0
  rejectionCode: ErrorCode = 'POSTHORN_BROKER_ERROR'
  /** Messages to store twice. */
  duplicates = 0
  /** Ready messages to mix up. */
  reorder = 0
  /** Dead-letter writes to fail. */
  deadLetters = 0
  /** Settlements to fail. */
  settlements = 0
}
