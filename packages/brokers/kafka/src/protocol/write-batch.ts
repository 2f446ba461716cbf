import { compress, compressionIds, type Compression } from './compress.ts'
import { crc32c } from './crc32c.ts'
import type { NewRecord } from './record.ts'
import type { Writer } from './writer.ts'

/** Bytes of a batch before its records. */
const batchHead = 61
/** Where the attributes are. */
const attributesAt = 21
/** Where the checksum is, and what it is of. */
const crcAt = 17
const crcFrom = 21

/** Writes records as one batch (format 2), preceded by its length as Produce has it. It is compressed where that makes it shorter. */
export function writeBatch(
  writer: Writer,
  records: readonly NewRecord[],
  compression: Compression = 'none',
): void {
  const sizeAt = writer.length
  writer.int32(0)
  const start = writer.length
  let first = Infinity
  let last = 0
  for (const { timestamp } of records) {
    if (timestamp < first) first = timestamp
    if (timestamp > last) last = timestamp
  }
  writer
    .int64(0) // offset, which the broker gives
    .int32(0) // length, below
    .int32(-1) // leader epoch
    .int8(2) // format
    .int32(0) // checksum, below
    .int16(0) // neither compressed nor in a transaction
    .int32(records.length - 1)
    .int64(first)
    .int64(last)
    .int64(-1) // no idempotent producer
    .int16(-1)
    .int32(-1)
    .int32(records.length)
  for (let index = 0; index < records.length; index++) writeRecord(writer, records[index]!, index, first)
  if (compression !== 'none') compressFrom(writer, start, compression)
  const end = writer.length
  writer.setInt32(sizeAt, end - start)
  writer.setInt32(start + 8, end - start - 12)
  writer.setInt32(start + crcAt, crc32c(writer.bytes(), start + crcFrom, end))
}

function compressFrom(writer: Writer, start: number, compression: Exclude<Compression, 'none'>): void {
  const records = writer.bytes().subarray(start + batchHead)
  const compressed = compress(records, compression)
  if (compressed.length >= records.length) return
  writer.cut(start + batchHead).raw(compressed)
  writer.setInt16(start + attributesAt, compressionIds[compression])
}

/** What a record takes at most, roughly. */
export function recordSize({ key, value, headers }: NewRecord): number {
  let size =
    20 + (key === undefined ? 0 : key.length * (typeof key === 'string' ? 3 : 1)) + (value?.length ?? 0)
  for (const name in headers) size += name.length + headers[name]!.length * 3 + 4
  return size
}

/** Bytes of a batch without its records. */
export const batchOverhead: number = batchHead

function writeRecord(writer: Writer, record: NewRecord, index: number, firstTimestamp: number): void {
  writer.varintSized(() => {
    const { timestamp, key, value, headers } = record
    writer
      .int8(0)
      .varlong(timestamp - firstTimestamp)
      .varint(index)
    if (key === undefined) writer.varint(-1)
    else if (typeof key === 'string') writer.varintString(key)
    else writer.varintBytes(key)
    if (value === undefined) writer.varint(-1)
    else writer.varintBytes(value)
    let count = 0
    for (const _ in headers) count += 1
    writer.varint(count)
    for (const name in headers) writer.varintString(name).varintString(headers[name]!)
  })
}
