import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import type { Clock } from '@posthorn/transport'

/** What is done about one order. */
export interface EffectEntry {
  readonly effect: 'charge' | 'reservation' | 'sale' | 'email'
  readonly orderId: string
  readonly customerId: string
}

/** What is done in the world, in the order in which it happened. */
export type LedgerEntry =
  | EffectEntry
  | { readonly effect: 'image' | 'report'; readonly file: string }
  /** The same was asked for again, and not done again. */
  | { readonly effect: 'repetition'; readonly of: string; readonly orderId: string }
  /** Somebody was asked to do something, and did not. */
  | { readonly effect: 'refusal'; readonly by: string; readonly subject: string; readonly error: string }

/** An append-only file, one JSON line for each effect. Several processes may write to it; each reads what all have written. */
export interface Ledger {
  /** Nothing once it is closed. */
  append(entry: LedgerEntry): void
  count(effect: LedgerEntry['effect']): number
  /** Entries of all kinds. */
  readonly size: number
  /** When something was last done; the clock's milliseconds. */
  readonly lastEffectAt: number
  close(): void
}

const newline = 0x0a

/** Opens a file to append to. */
export function createLedger(file: string, clock: Clock): Ledger {
  const counts = new Map<string, number>()
  const descriptor = openSync(file, 'a+')
  const buffer = Buffer.alloc(64 * 1_024)
  let isOpen = true
  let position = 0
  let size = 0
  let lastEffectAt = clock.now()

  /** Takes in what was added since. */
  function follow(): void {
    while (isOpen) {
      const length = readSync(descriptor, buffer, 0, buffer.length, position)
      const end = buffer.subarray(0, length).lastIndexOf(newline) + 1
      if (end === 0) return
      position += end
      for (const line of buffer.toString('utf8', 0, end - 1).split('\n')) {
        const { effect, at } = JSON.parse(line) as { readonly effect: string; readonly at: string }
        size++
        counts.set(effect, (counts.get(effect) ?? 0) + 1)
        if (effect !== 'refusal' && effect !== 'repetition') lastEffectAt = Date.parse(at)
      }
    }
  }

  return {
    append(entry) {
      if (!isOpen) return
      const at = new Date(clock.now()).toISOString()
      writeSync(descriptor, JSON.stringify({ at, ...entry }) + '\n')
    },
    count(effect) {
      follow()
      return counts.get(effect) ?? 0
    },
    get size() {
      follow()
      return size
    },
    get lastEffectAt() {
      follow()
      return lastEffectAt
    },
    close() {
      follow()
      isOpen = false
      closeSync(descriptor)
    },
  }
}
