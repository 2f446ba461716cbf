import fc from 'fast-check'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { readBatches } from './read-batches.ts'
import { writeBatch } from './write-batch.ts'
import { Writer } from './writer.ts'
import type { NewRecord } from './record.ts'

const record = (value: string, more: Partial<NewRecord> = {}): NewRecord => ({
  timestamp: 1_700_000_000_000,
  key: undefined,
  value: Buffer.from(value),
  headers: {},
  ...more,
})

/** A batch as the broker keeps it, at an offset. */
function stored(records: readonly NewRecord[], offset: number): Buffer {
  const writer = new Writer()
  writeBatch(writer, records)
  const batch = Buffer.from(writer.bytes().subarray(4))
  batch.writeBigInt64BE(BigInt(offset), 0)
  return batch
}

function compressed(batch: Buffer, compression: number, compress: (bytes: Buffer) => Buffer): Buffer {
  const content = compress(batch.subarray(61))
  const all = Buffer.concat([batch.subarray(0, 61), content])
  all.writeInt32BE(all.length - 12, 8)
  all.writeInt16BE(compression, 21)
  return all
}

const values = (bytes: Buffer, from = 0): unknown[] =>
  readBatches(bytes, from).records.map(({ value }) => value?.toString())

test('what is written is read', () => {
  const texts = fc.string({ unit: 'grapheme', maxLength: 300 })
  const records = fc.array(
    fc.record({
      timestamp: fc.integer({ min: 0, max: 8.64e15 }),
      key: fc.option(texts, { nil: undefined }),
      value: fc.option(
        fc.uint8Array({ maxLength: 9_000 }).map((bytes) => Buffer.from(bytes)),
        { nil: undefined },
      ),
      headers: fc.dictionary(texts, texts, { noNullPrototype: false, maxKeys: 5 }),
    }),
    { minLength: 1, maxLength: 20 },
  )
  fc.assert(
    fc.property(records, fc.nat(2 ** 40), (all, offset) => {
      const { records: read, nextOffset } = readBatches(stored(all, offset), offset)
      expect(nextOffset).toBe(offset + all.length)
      for (const [index, { timestamp, key, value, headers }] of all.entries()) {
        const one = read[index]!
        expect(one.offset).toBe(offset + index)
        expect(one.timestamp).toBe(timestamp)
        expect(one.key?.toString()).toBe(
          key === undefined ? undefined : Buffer.from(key as string).toString(),
        )
        expect(one.value).toEqual(value)
        const texts = Object.entries(headers).map(([name, text]) => [toWell(name), toWell(text)])
        expect({ ...one.headers }).toEqual(Object.fromEntries(texts))
      }
    }),
  )
})

/** Halves of characters do not survive being written. */
function toWell(text: string): string {
  return Buffer.from(text).toString()
}

test('several batches are read, from the offset that was asked for, and a cut one is left for later', () => {
  const bytes = Buffer.concat([
    stored([record('a'), record('b')], 5),
    stored([record('c')], 7),
    stored([record('d')], 8).subarray(0, 50),
  ])
  expect(values(bytes, 6)).toEqual(['b', 'c'])
  expect(readBatches(bytes, 6).nextOffset).toBe(8)
})

test.each([
  ['gzip', 1, gzipSync],
  ['zstd', 4, zstdCompressSync],
] as const)('what is compressed by %s is read', (_, compression, compress) => {
  const batch = compressed(stored([record('a'), record('b')], 0), compression, compress)
  expect(values(batch)).toEqual(['a', 'b'])
})

test('a batch that cannot be read becomes one record that says why, and reading goes on', () => {
  const lz4 = compressed(stored([record('a'), record('b')], 3), 3, (bytes) => bytes)
  const garbage = compressed(stored([record('c')], 5), 1, () => Buffer.from('no gzip'))
  const { records, nextOffset } = readBatches(Buffer.concat([lz4, garbage, stored([record('d')], 6)]), 0)
  expect(records.map(({ offset, nextOffset: next, problem }) => [offset, next, problem])).toEqual([
    [3, 5, 'lz4 cannot be decompressed here'],
    [5, 6, 'incorrect header check'],
    [6, 7, undefined],
  ])
  expect(records[0]!.value).toEqual(lz4)
  expect(nextOffset).toBe(7)
})

test('what was aborted and the markers of transactions are left out', () => {
  const inTransaction = (batch: Buffer, producer: number, flags: number): Buffer => {
    batch.writeInt16BE(flags, 21)
    batch.writeBigInt64BE(BigInt(producer), 43)
    return batch
  }
  const bytes = Buffer.concat([
    inTransaction(stored([record('aborted')], 0), 7, 16),
    inTransaction(stored([record('other')], 1), 8, 16),
    inTransaction(stored([record('marker')], 2), 7, 48),
    inTransaction(stored([record('committed')], 3), 7, 16),
  ])
  const { records, nextOffset } = readBatches(bytes, 0, [{ producerId: 7, firstOffset: 0 }])
  expect(records.map(({ value }) => value?.toString())).toEqual(['other', 'committed'])
  expect(nextOffset).toBe(4)
})

test('bytes that are no batches are never an error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(readBatches(Buffer.from(bytes), 0).nextOffset).toBeTypeOf('number')
    }),
  )
})
