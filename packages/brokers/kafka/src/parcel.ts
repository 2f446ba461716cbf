import { batchOverhead, recordSize } from './protocol/write-batch.ts'
import type { NewRecord } from './protocol/record.ts'
import type { Portion, PublishCall } from './publish-call.ts'

/** Bytes that go to one partition in one request: below the `message.max.bytes` of brokers. */
export const maxBatchBytes = 900_000

/** Records of a batch for one partition. */
export interface Parcel {
  readonly topic: string
  readonly partition: number
  readonly records: readonly NewRecord[]
  /** Of each record in the batch. */
  readonly indexes: readonly number[]
}

/** Parts a parcel where it is larger than a request may be. */
export function portionsOf(call: PublishCall, { records, indexes }: Parcel): Portion[] {
  const portions: Portion[] = []
  let from = 0
  let size = batchOverhead
  for (let at = 0; at < records.length; at++) {
    const own = recordSize(records[at]!)
    if (at > from && size + own > maxBatchBytes) {
      portions.push(portion(from, at, size))
      from = at
      size = batchOverhead
    }
    size += own
  }
  portions.push(portion(from, records.length, size))
  return portions

  function portion(start: number, end: number, bytes: number): Portion {
    const isAll = start === 0 && end === records.length
    return {
      call,
      records: isAll ? records : records.slice(start, end),
      indexes: isAll ? indexes : indexes.slice(start, end),
      size: bytes,
      problem: undefined,
    }
  }
}
