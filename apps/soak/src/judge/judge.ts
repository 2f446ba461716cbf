import { readLedger } from '@posthorn/test-brokers'
import { Bitmap } from './bitmap.ts'
import { failsAtFirst, keyCount, keyOf, numberOf } from './entries.ts'
import { mergeLedgers } from './merge-ledgers.ts'
import { findFault, type FaultRecord } from '../faults/fault-log.ts'
import type { FaultKind } from '../faults/fault-plan.ts'

export interface Evidence {
  readonly messages: number
  /** The producers' ledgers. */
  readonly sent: readonly string[]
  /** The workers' ledgers and names. */
  readonly handled: readonly { readonly path: string; readonly name: string }[]
  readonly faults: readonly FaultRecord[]
  /** Whether the messages of each key had to come in order. */
  readonly ordered: boolean
}

/** What became of the messages, by number. Lists hold the first few. */
export interface Verdict {
  readonly confirmed: number
  /** Ends of sends, each of which was followed by another try. */
  readonly rejected: number
  readonly unknown: number
  /** Messages that were sent again because a killed producer may have sent them. */
  readonly sentAgain: number
  /** Messages with an effect. */
  readonly handled: number
  /** Effects beyond the first of each message. */
  readonly duplicates: number
  /** Duplicates by what explains them. */
  readonly explained: Readonly<Partial<Record<FaultKind | 'sent again', number>>>
  readonly unexplained: Findings
  /** Confirmed without an effect. */
  readonly lost: Findings
  /** Never confirmed. */
  readonly unconfirmed: Findings
  /** First done after a later message of their key, where that was promised. */
  readonly outOfOrder: Findings
  /** Effects at a later attempt than the first. */
  readonly retried: number
}

export interface Findings {
  readonly count: number
  readonly first: readonly number[]
}

const shown = 10
/** A worker may begin what it holds for so long after its connection has gone, on a machine that is busy. */
const lateMs = 3_000
/**
 * What failed once may be there twice, as two copies that both wait for their time, and of which others get the first: the
 * fault hit whoever let it fail.
 */
const lateCopiesMs = 15_000

/**
 * Reads the ledgers and counts. Memory: bits and a few numbers for each message, never its text.
 */
export async function judge({
  messages,
  sent,
  handled: workers,
  faults,
  ordered,
}: Evidence): Promise<Verdict> {
  const confirmed = new Bitmap(messages)
  const repeated = new Bitmap(messages)
  const counts = { rejected: 0, unknown: 0, sentAgain: 0, duplicates: 0, retried: 0 }
  for (const path of sent) {
    for await (const entry of readLedger(path)) {
      const number = numberOf(entry, 'confirmed')
      if (number !== undefined) confirmed.add(number)
      const unknown = numberOf(entry, 'unknown')
      const again = numberOf(entry, 'again')
      if (unknown !== undefined || again !== undefined) repeated.add(unknown ?? again ?? 0)
      if (unknown !== undefined) counts.unknown++
      else if (again !== undefined) counts.sentAgain++
      else if ('rejected' in entry) counts.rejected++
    }
  }

  const workerFaults = faults.filter(
    ({ target }) => target === 'server' || workers.some(({ name }) => name === target),
  )
  const handled = new Bitmap(messages)
  const lastAt = new Float64Array(messages)
  const lastBy = new Uint8Array(messages)
  const explained: Partial<Record<FaultKind | 'sent again', number>> = {}
  const unexplained = new Finder()
  const outOfOrder = new Finder()
  const latest = new Int32Array(keyCount).fill(-1)
  const latestAt = new Float64Array(keyCount)
  for await (const { handled: number, startedAt, attempt, worker } of mergeLedgers(
    workers.map(({ path }) => path),
  )) {
    if (attempt > 1) counts.retried++
    if (!handled.add(number)) {
      counts.duplicates++
      const first = { by: workers[lastBy[number] ?? 0]?.name, at: lastAt[number] ?? 0 }
      const second = { by: workers[worker]?.name, at: startedAt }
      const reason = repeated.has(number)
        ? 'sent again'
        : failsAtFirst(number)
          ? findFault(workerFaults, undefined, first.at - lateCopiesMs, second.at)
          : // Either the first one lost it, or the second one had lost it to the first, and did not know yet.
            (findFault(workerFaults, first.by, first.at - lateMs, second.at) ??
            findFault(workerFaults, second.by, first.at - lateMs, first.at))
      if (reason === undefined) unexplained.add(number)
      else explained[reason] = (explained[reason] ?? 0) + 1
    } else {
      const key = keyOf(number)
      if (number > (latest[key] ?? 0)) {
        latest[key] = number
        latestAt[key] = startedAt
      } else if (ordered && startedAt > (latestAt[key] ?? 0)) outOfOrder.add(number)
    }
    lastAt[number] = startedAt
    lastBy[number] = worker
  }

  const lost = new Finder()
  const unconfirmed = new Finder()
  for (let number = 0; number < messages; number++) {
    if (!confirmed.has(number)) unconfirmed.add(number)
    else if (!handled.has(number)) lost.add(number)
  }
  return {
    ...counts,
    confirmed: confirmed.count,
    handled: handled.count,
    explained,
    unexplained,
    outOfOrder,
    lost,
    unconfirmed,
  }
}

class Finder implements Findings {
  count = 0
  readonly first: number[] = []

  add(number: number): void {
    this.count++
    if (this.first.length < shown) this.first.push(number)
  }
}
