import { crc32c } from './crc32c.ts'
import { decompress } from './decompress.ts'
import { Reader } from './reader.ts'
import { TextCache } from './text-cache.ts'
import type { KafkaRecord } from './record.ts'

const noHeaders: Readonly<Record<string, string | undefined>> = Object.freeze({
  __proto__: null,
} as object as Record<string, string>)

/** An object without anything inherited, which stays fast: those of a batch have the same names, mostly. */
const Bag = function () {
  // Has no fields of its own.
} as unknown as { new (): Record<string, string | undefined>; prototype: object }
Bag.prototype = Object.create(null)

/** Bytes of records that one batch may become, and after which the next batch is left for later. */
const maxDecompressedBytes = 256 * 1024 * 1024
const maxReadBytes = 32 * 1024 * 1024
/** What of a batch its checksum is of. */
const crcFrom = 21

export interface ReadBatches {
  /** In the order of their offsets, from the one that was asked for; one for each batch that cannot be read. */
  readonly records: readonly KafkaRecord[]
  /** Where reading goes on. */
  readonly nextOffset: number
  /** Bytes that they take, decompressed. */
  readonly size: number
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

/**
 * Reads what a fetch answered, from `from` on: batches may begin before it, and the last one may be cut off. Markers of
 * transactions, and what was aborted, are left out. Never throws. After 32 MiB, decompressed, the rest is left for later.
 */
export function readBatches(
  bytes: Buffer,
  from: number,
  aborted: readonly AbortedTransaction[] = [],
): ReadBatches {
  const records: KafkaRecord[] = []
  const transactions = new Transactions(aborted)
  let nextOffset = from
  let at = 0
  let size = 0
  while (bytes.length - at >= 12 && (size < maxReadBytes || records.length === 0)) {
    const end = at + 12 + bytes.readInt32BE(at + 8)
    if (end > bytes.length || end <= at) break
    const batch = bytes.subarray(at, end)
    at = end
    try {
      size += readBatch(batch, from, records, transactions)
      nextOffset = Math.max(nextOffset, lastOffsetOf(batch) + 1)
    } catch (error) {
      const record = unreadable(batch, nextOffset, bytes.subarray(end), error)
      records.push(record)
      size += batch.length
      nextOffset = record.nextOffset
    }
  }
  return { records, nextOffset, size }
}

/** One record in place of a batch. How far the batch goes may be what is wrong with it: no further than what comes after. */
function unreadable(batch: Buffer, from: number, rest: Buffer, error: unknown): KafkaRecord {
  const offset = Math.max(from, new Reader(batch).int64())
  // A record takes a byte at least, nearly always; of one that is longer the rest is asked for again.
  const last = Math.min(lastOffsetOf(batch), offset + batch.length)
  const following = rest.length >= 12 ? new Reader(rest).int64() : Infinity
  return {
    offset,
    timestamp: batch.length >= 43 ? new Reader(batch, 35).int64() : 0,
    key: undefined,
    value: batch,
    headers: {},
    nextOffset: Math.max(offset + 1, Math.min(last + 1, following)),
    problem: error instanceof Error ? error.message : String(error),
  }
}

function lastOffsetOf(batch: Buffer): number {
  const firstOffset = new Reader(batch).int64()
  const isModern = batch.length >= 61 && batch[16] === 2
  return isModern ? firstOffset + batch.readInt32BE(23) : firstOffset
}

/** Answers how many bytes it has, decompressed. */
function readBatch(batch: Buffer, from: number, records: KafkaRecord[], transactions: Transactions): number {
  const head = new Reader(batch)
  const baseOffset = head.int64()
  head.skip(8)
  const format = head.int8()
  if (format !== 2) throw new Error(`records of format ${format}, from before Kafka 0.11, are not read`)
  const crc = head.int32()
  if (crc !== crc32c(batch, crcFrom, batch.length)) throw new Error('its checksum is wrong')
  const attributes = head.int16()
  const lastOffset = baseOffset + head.int32()
  const firstTimestamp = head.int64()
  const maxTimestamp = head.int64()
  const producerId = head.int64()
  head.skip(6)
  const count = head.int32()
  transactions.reach(lastOffset)
  const isControl = (attributes & 32) !== 0
  if (!isControl && (attributes & 16) !== 0 && transactions.isAborted(producerId)) return 0
  if (isControl) {
    transactions.end(producerId)
    return 0
  }
  const content = decompress(batch.subarray(head.position), attributes, maxDecompressedBytes)
  const reader = new Reader(content)
  const appendTime = (attributes & 8) !== 0 ? maxTimestamp : undefined
  const already = records.length
  const texts = new TextCache()
  try {
    for (let index = 0; index < count; index++) {
      const size = reader.varint()
      const end = reader.position + size
      reader.skip(1)
      const timestamp = firstTimestamp + reader.varlong()
      const offset = baseOffset + reader.varint()
      if (offset >= from) {
        const key = reader.varintBytes()
        const value = reader.varintBytes()
        records.push({
          offset,
          timestamp: appendTime ?? timestamp,
          key,
          value,
          headers: readHeaders(reader, texts),
          nextOffset: offset + 1,
          problem: undefined,
        })
      }
      reader.position = end
    }
  } catch (error) {
    // All of it is unreadable, rather than some of it twice.
    records.length = already
    throw error
  }
  return content.length
}

function readHeaders(reader: Reader, texts: TextCache): Readonly<Record<string, string | undefined>> {
  const count = reader.varint()
  if (count <= 0) return noHeaders
  const headers = new Bag()
  for (let index = 0; index < count; index++) {
    const name = texts.read(reader, Math.max(0, reader.varint()), index * 2)
    const length = reader.varint()
    headers[name] = length < 0 ? undefined : texts.read(reader, length, index * 2 + 1)
  }
  return headers
}

/** Which producers' records are of an aborted transaction, at the place that reading has come to. */
class Transactions {
  private readonly pending: AbortedTransaction[]
  private readonly active = new Set<number>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.pending = [...aborted].sort((left, right) => right.firstOffset - left.firstOffset)
  }

  reach(offset: number): void {
    for (let next = this.pending.at(-1); next !== undefined && next.firstOffset <= offset;) {
      this.active.add(next.producerId)
      this.pending.pop()
      next = this.pending.at(-1)
    }
  }

  isAborted(producerId: number): boolean {
    return this.active.has(producerId)
  }

  end(producerId: number): void {
    this.active.delete(producerId)
  }
}
