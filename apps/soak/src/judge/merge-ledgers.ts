import { readLedger } from '@posthorn/test-brokers'
import type { HandledEntry } from './entries.ts'

export interface Handling extends HandledEntry {
  /** The place of its ledger in the list. */
  readonly worker: number
}

/** The entries of all workers in the order of time, as far as each ledger is in that order; holds one of each. */
export async function* mergeLedgers(paths: readonly string[]): AsyncGenerator<Handling, void, undefined> {
  const ledgers = paths.map((path) => readLedger(path))
  const heads = await Promise.all(ledgers.map(async (ledger) => next(ledger)))
  for (;;) {
    let worker = -1
    for (const [index, head] of heads.entries()) {
      const earliest = heads[worker]
      if (head !== undefined && (earliest === undefined || head.startedAt < earliest.startedAt))
        worker = index
    }
    const entry = heads[worker]
    const ledger = ledgers[worker]
    if (entry === undefined || ledger === undefined) return
    yield { ...entry, worker }
    heads[worker] = await next(ledger)
  }
}

async function next(ledger: AsyncIterator<unknown, void>): Promise<HandledEntry | undefined> {
  const { value, done } = await ledger.next()
  return done === true ? undefined : (value as HandledEntry)
}
