import { closeSync, openSync, writeSync } from 'node:fs'
import type { Clock } from '@posthorn/transport'

/** What is done in the world, in the order in which it happened. */
export type LedgerEntry =
  | {
      readonly effect: 'charge' | 'reservation' | 'sale' | 'email'
      readonly orderId: string
      readonly customerId: string
    }
  | { readonly effect: 'image' | 'report'; readonly file: string }
  /** Somebody was asked to do something, and did not. */
  | { readonly effect: 'refusal'; readonly by: string; readonly subject: string; readonly error: string }

/** An append-only file, one JSON line for each effect. */
export interface Ledger {
  append(entry: LedgerEntry): void
  count(effect: LedgerEntry['effect']): number
  /** When something other than a refusal was written last; the clock's milliseconds. */
  readonly lastEffectAt: number
  close(): void
}

/** Opens a file to append to. */
export function createLedger(file: string, clock: Clock): Ledger {
  const counts = new Map<string, number>()
  const descriptor = openSync(file, 'a')
  let lastEffectAt = clock.now()
  return {
    append(entry) {
      const at = new Date(clock.now()).toISOString()
      writeSync(descriptor, JSON.stringify({ at, ...entry }) + '\n')
      counts.set(entry.effect, (counts.get(entry.effect) ?? 0) + 1)
      if (entry.effect !== 'refusal') lastEffectAt = clock.now()
    },
    count: (effect) => counts.get(effect) ?? 0,
    get lastEffectAt() {
      return lastEffectAt
    },
    close: () => closeSync(descriptor),
  }
}
