import type { Expected } from './expected.ts'
import { countOutOfOrder } from './out-of-order.ts'
import type { DeadLetter, Effects } from './read-effects.ts'
import { catalogue } from '../shop/catalogue.ts'
import { imageWidths } from '../shop/messages.ts'
import { totalOf } from '../shop/order.ts'

/** What became of the orders. Lists hold the ids of orders, or names of files. */
export interface Verdict {
  /** Good orders of which something was never done, and no dead letter says why. */
  readonly lost: readonly string[]
  readonly notCharged: readonly string[]
  readonly notReserved: readonly string[]
  readonly notRecorded: readonly string[]
  readonly emailsMissing: readonly string[]
  readonly chargedTwice: readonly string[]
  readonly reservedTwice: readonly string[]
  readonly recordedTwice: readonly string[]
  readonly emailsTwice: readonly string[]
  /** Effects that came after those of a later order of the same customer. */
  readonly outOfOrder: number
  /** Bad orders that no dead letter accounts for. */
  readonly badUnexplained: number
  /** Bad orders for which money was taken all the same. */
  readonly badCharged: readonly string[]
  readonly deadLetters: number
  /** Dead letters without a reason, or without the error behind it. */
  readonly deadLettersUnexplained: number
  /** Pictures and reports that were never made. */
  readonly tasksLost: readonly string[]
  /** What the report is off by, of all sales but those that a dead letter accounts for. Cents; `undefined` without a report. */
  readonly reportOffBy: number | undefined
  /** The most often that one and the same call was refused. */
  readonly mostRefusals: number
  /** Calls to the payment provider while it was down. */
  readonly callsWhileDown: number
  /** Effects that were asked for again, and not done again. */
  readonly repetitions: number
}

/** Counts what a run has done against what its orders ask for. Knows nothing of how it was done. */
export function judge({ orders, bad, cents }: Expected, effects: Effects): Verdict {
  const explained = effects.deadLetters.filter(isExplained)
  const ids = orders.map(({ id }) => id)
  /** Orders without an effect, but for those that a dead letter of whoever causes it accounts for. */
  const missing = (done: readonly string[], ...sources: readonly string[]): string[] => {
    const there = new Set(done)
    const letters = explained.filter(({ source }) => sources.includes(source))
    const excused = (id: string): boolean => letters.some(({ body }) => body.includes(JSON.stringify(id)))
    return ids.filter((id) => !there.has(id) && !excused(id))
  }
  const missed = {
    notCharged: missing(effects.charges, 'orders/payment'),
    notReserved: missing(effects.reservations, 'orders/inventory'),
    // What is not paid is not sold.
    notRecorded: missing(effects.sales, 'orders/payment', 'orders/analytics'),
    emailsMissing: missing(effects.emails, 'orders/email', 'tasks'),
  }
  const sold = new Set([...effects.sales, ...missed.notRecorded])
  const unsold = orders.reduce((sum, order) => sum + (sold.has(order.id) ? 0 : totalOf(order)), 0)
  const lost = new Set(Object.values(missed).flat())
  const badIds = new Set(bad.flatMap(({ orderId }) => (orderId === undefined ? [] : [orderId])))
  const images = catalogue.flatMap(({ sku }) => imageWidths.map((width) => `${sku}-${width}.jpg`))
  const reports = ['customers.csv', 'products.json', 'days.txt']

  return {
    ...missed,
    lost: ids.filter((id) => lost.has(id)),
    chargedTwice: repeated(effects.charges),
    reservedTwice: repeated(effects.reservations),
    recordedTwice: repeated(effects.sales),
    emailsTwice: repeated(effects.emails),
    // Whoever replays something lets it come after what was behind it.
    outOfOrder: countOutOfOrder(
      ids.filter((id) => !effects.replayed.some((body) => body.includes(JSON.stringify(id)))),
      effects.ledger,
    ),
    badUnexplained: countUnexplained(
      bad.map(({ line }) => line),
      explained,
    ),
    badCharged: [...new Set(effects.charges)].filter((id) => badIds.has(id) && !ids.includes(id)),
    deadLetters: effects.deadLetters.length,
    deadLettersUnexplained: effects.deadLetters.length - explained.length,
    tasksLost: [
      ...images.filter((file) => !effects.images.has(file)),
      ...reports.filter((file) => !effects.reports.has(file)),
    ],
    reportOffBy: effects.reportedCents === undefined ? undefined : effects.reportedCents - cents + unsold,
    mostRefusals: countMostRefusals(effects.ledger),
    callsWhileDown: effects.ledger.filter(({ by, error }) => by === 'payment' && error?.endsWith('is down'))
      .length,
    repetitions: effects.ledger.filter(({ effect }) => effect === 'repetition').length,
  }
}

/** What is lost, doubled, out of order or unexplained, by its name. */
export function faultsOf(verdict: Verdict): [name: string, value: readonly string[] | number | undefined][] {
  const { deadLetters: _1, mostRefusals: _2, callsWhileDown: _3, repetitions: _4, ...faults } = verdict
  return Object.entries(faults).filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value !== 0))
}

export function isClean(verdict: Verdict): boolean {
  return faultsOf(verdict).length === 0
}

function isExplained({ reason, error }: DeadLetter): boolean {
  return reason !== undefined && reason !== '' && error !== undefined && error !== ''
}

/** Each dead letter accounts for one line, so the same line twice needs two. */
function countUnexplained(lines: readonly string[], letters: readonly DeadLetter[]): number {
  const left = new Map<string, number>()
  for (const { body } of letters) left.set(body, (left.get(body) ?? 0) + 1)
  return lines.filter((line) => {
    const count = left.get(line) ?? 0
    left.set(line, count - 1)
    return count <= 0
  }).length
}

function repeated(done: readonly string[]): string[] {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const id of done) {
    if (seen.has(id)) twice.add(id)
    seen.add(id)
  }
  return [...twice].toSorted()
}

function countMostRefusals(ledger: Effects['ledger']): number {
  const counts = new Map<string, number>()
  for (const { effect, by, subject } of ledger) {
    if (effect === 'refusal') counts.set(`${by} ${subject}`, (counts.get(`${by} ${subject}`) ?? 0) + 1)
  }
  return Math.max(0, ...counts.values())
}
