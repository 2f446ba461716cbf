import { isTooLarge, refusal } from './produce-errors.ts'
import { portionsOf } from './parcel.ts'
import type { Portion } from './publish-call.ts'
import type { ProduceResult } from './protocol/produce.ts'
import type { PublishLine } from './publish-line.ts'
import type { PublishOutcome } from '@posthorn/transport/driver'

/** What of a line is in a request. */
export interface SentBatch {
  readonly line: PublishLine
  readonly portions: readonly Portion[]
}

export function answer(batches: readonly SentBatch[], outcome: PublishOutcome): void {
  for (const { portions } of batches) {
    for (const { call, indexes } of portions) call.answer(indexes, outcome)
  }
}

/**
 * Some records make the broker refuse all that are written with them. Those that it names are refused, and the others put
 * back; where it names none, all are put back in halves, until a record is alone.
 */
export function refuseRecords(
  { line, portions }: SentBatch,
  { error, recordErrors, message }: ProduceResult,
): void {
  const count = portions.reduce((sum, { records }) => sum + records.length, 0)
  if (count === 1) return answer([{ line, portions }], refusal(line.topic, error, message))
  if (!recordErrors.some(({ index }) => index >= 0 && index < count)) {
    const size = portions.reduce((sum, portion) => sum + portion.size, 0)
    line.shrink(size, isTooLarge(error))
    return line.putBack(portions)
  }
  const named = new Map(recordErrors.map((one) => [one.index, one.message ?? message]))
  let first = 0
  const kept: Portion[] = []
  for (const portion of portions) {
    const { call, records, indexes, isFree } = portion
    const stay = records.flatMap((_, at) => (named.has(first + at) ? [] : [at]))
    for (const [at, index] of indexes.entries()) {
      if (named.has(first + at)) call.answer([index], refusal(line.topic, error, named.get(first + at)))
    }
    first += records.length
    if (stay.length === 0) continue
    const rest = { records: stay.map((at) => records[at]!), indexes: stay.map((at) => indexes[at]!) }
    kept.push(...portionsOf(call, rest, isFree))
  }
  line.putBack(kept)
}
