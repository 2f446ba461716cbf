import {
  settlementBrand,
  type AckSettlement,
  type DeadLetterSettlement,
  type ReleaseSettlement,
  type RetrySettlement,
  type Settlement,
} from '../contract/settlement.ts'

/** The ack of a handler that returned nothing: the same object every time, since most are. */
export const ack: AckSettlement = Object.freeze({
  [settlementBrand]: true,
  verb: 'ack',
  value: undefined,
  repeated: false,
} as const)

/**
 * An ack, for middleware that answers in place of the handler; `value` is what that would have returned. `repeated`: it had
 * been done before, and nothing was done now, which breakers and metrics tell from a success.
 */
export function ackWith(value: unknown, repeated: boolean = false): AckSettlement {
  return value === undefined && !repeated ? ack : { [settlementBrand]: true, verb: 'ack', value, repeated }
}

export function retryAfter(delayMs: number | undefined, error: unknown): RetrySettlement {
  return { [settlementBrand]: true, verb: 'retry', delayMs, error }
}

export function releaseAfter(delayMs: number): ReleaseSettlement {
  return { [settlementBrand]: true, verb: 'release', delayMs }
}

export function deadLetterFor(reason: string, error: unknown): DeadLetterSettlement {
  return { [settlementBrand]: true, verb: 'deadLetter', reason, error }
}

/** True for a settlement of any copy of the package. */
export function isSettlement(value: unknown): value is Settlement {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as { [settlementBrand]?: unknown })[settlementBrand] === true
  )
}

/** What a handler returned, as a settlement: itself where it is one, else an ack. */
export function toSettlement(value: unknown): Settlement {
  if (value === undefined) return ack
  return isSettlement(value) ? value : ackWith(value)
}
