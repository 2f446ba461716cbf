import { batchOverhead, recordSize } from './protocol/write-batch.ts'
import type { NewRecord } from './protocol/record.ts'
import type { Portion, PublishCall } from './publish-call.ts'

/** Bytes that go to one partition in one request: below the `message.max.bytes` of brokers. */
export const maxBatchBytes = 900_000

/** Records of a call. */
export interface Parcel {
  readonly topic: string
  /** Where they go; without one, to any. */
  readonly partition: number | undefined
  readonly records: readonly NewRecord[]
  /** Of each record in the call. */
  readonly indexes: readonly number[]
}

/** Parts records where they are more than a batch may be. */
export function portionsOf(
  call: PublishCall,
  { records, indexes }: Pick<Parcel, 'records' | 'indexes'>,
  isFree: boolean,
  maxBytes: number = maxBatchBytes,
): Portion[] {
  const portions: Portion[] = []
  let from = 0
  let size = batchOverhead
  for (let at = 0; at < records.length; at++) {
    const own = recordSize(records[at]!)
    if (at > from && size + own > maxBytes) {
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
      isFree,
      size: bytes,
      problem: undefined,
    }
  }
}
