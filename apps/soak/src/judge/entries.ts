import type { LedgerEntry } from '@posthorn/test-brokers'

/** What a producer writes down, each with the message's number. */
export type SendEntry =
  /** All messages below may have been sent from now on. */
  | { readonly started: number }
  | { readonly confirmed: number }
  /** Its send ended so, and is repeated with the same id. */
  | { readonly unknown: number }
  | { readonly rejected: number }
  /** A killed producer may have sent it; the one after it sends it with the same id. */
  | { readonly again: number }

/** What a worker writes down: the effect of a message, which is on the disk before the message is acked. */
export interface HandledEntry {
  readonly handled: number
  /** When the handler was called; epoch milliseconds. */
  readonly startedAt: number
  readonly deliveries: number
  readonly attempt: number
}

export function numberOf(entry: LedgerEntry, name: string): number | undefined {
  const value = entry[name]
  return typeof value === 'number' ? value : undefined
}

/** Messages are numbered from 0; each number's key is a number below this. A producer has its own keys. */
export const keyCount = 1_000

export function keyOf(number: number): number {
  return number % keyCount
}

/** Whether the handler refuses the first attempt at this message: now and then of every key. */
export function failsAtFirst(number: number): boolean {
  return number % 47 === 7
}
