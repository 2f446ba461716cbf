/** Recognises a settlement of any copy of the package. */
export const settlementBrand: unique symbol = Symbol.for('posthorn.settlement') as never

/**
 * What becomes of a delivery. Only what `context.retry`, `context.release` and `context.deadLetter` return is one;
 * whatever else a handler returns is an ack.
 */
export type Settlement = AckSettlement | RetrySettlement | ReleaseSettlement | DeadLetterSettlement

/** Done with. `value` is what the handler returned. */
export interface AckSettlement {
  readonly [settlementBrand]: true
  readonly verb: 'ack'
  readonly value: unknown
  /** It had been done before, and nothing was done for it now. */
  readonly repeated: boolean
}

/** Spends an attempt and comes again, unless that was the last one. */
export interface RetrySettlement {
  readonly [settlementBrand]: true
  readonly verb: 'retry'
  /** Milliseconds; `undefined` is what the retry policy says. */
  readonly delayMs: number | undefined
  readonly error: unknown
}

/** Comes again without spending an attempt. */
export interface ReleaseSettlement {
  readonly [settlementBrand]: true
  readonly verb: 'release'
  /** Milliseconds. */
  readonly delayMs: number
}

export interface DeadLetterSettlement {
  readonly [settlementBrand]: true
  readonly verb: 'deadLetter'
  readonly reason: string
  readonly error: unknown
}
