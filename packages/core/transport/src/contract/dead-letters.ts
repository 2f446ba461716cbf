/** Why a message was dead-lettered and what became of it before. */
export interface DeadLetterRecord {
  /** The source's name: a queue, or `<topic>/<group>`. */
  readonly source: string
  readonly group: string | undefined
  /** A word from the transport (`attempts-exhausted`, `deliveries-exhausted`, `too-large`, `undecodable`) or the handler's own. */
  readonly reason: string
  readonly error:
    | { readonly name: string; readonly message: string; readonly code: string | undefined }
    | undefined
  /** Attempts that were spent. */
  readonly attempts: number
  /** The broker's hand-outs. */
  readonly deliveries: number
  /** Epoch milliseconds. */
  readonly firstFailedAt: number | undefined
  readonly lastFailedAt: number | undefined
  readonly deadLetteredAt: number
  /** The handler's name: the consumer's `name` option, or the function's. */
  readonly handler: string | undefined
}
