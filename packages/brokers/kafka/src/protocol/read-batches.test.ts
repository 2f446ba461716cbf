import fc from 'fast-check'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { compressFrameSync } from 'lz4-napi'
import { compressSync } from 'snappy'
import { expect, test } from 'vitest'
import { crc32c } from './crc32c.ts'
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

/** With the checksum of what it has now. */
function sealed(batch: Buffer): Buffer {
  batch.writeInt32BE(crc32c(batch, 21, batch.length), 17)
  return batch
}

function compressed(batch: Buffer, compression: number, compress: (bytes: Buffer) => Buffer): Buffer {
  const content = compress(batch.subarray(61))
  const all = Buffer.concat([batch.subarray(0, 61), content])
  all.writeInt32BE(all.length - 12, 8)
  all.writeInt16BE(compression, 21)
  return sealed(all)
}

/** Snappy as Java's library frames it. */
function framed(...blocks: readonly Buffer[]): Buffer {
  const head = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
  return Buffer.concat([
    head,
    ...blocks.flatMap((block) => {
      const packed = compressSync(block)
      const length = Buffer.alloc(4)
      length.writeInt32BE(packed.length)
      return [length, packed]
    }),
  ])
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
  ['snappy', 2, (bytes: Buffer) => compressSync(bytes)],
  ['snappy in one frame', 2, framed],
  [
    'snappy in several frames',
    2,
    (bytes: Buffer) => framed(bytes.subarray(0, 5), bytes.subarray(5, 9), bytes.subarray(9)),
  ],
  ['lz4', 3, (bytes: Buffer) => compressFrameSync(bytes)],
  ['zstd', 4, zstdCompressSync],
] as const)('what is compressed by %s is read', (_, compression, compress) => {
  const batch = compressed(stored([record('a'), record('b')], 0), compression, compress)
  expect(values(batch)).toEqual(['a', 'b'])
})

test('what a batch holds is counted as it is read, and past 32 MiB the rest is left for later', () => {
  const batch = (offset: number): Buffer =>
    compressed(stored([record('x'.repeat(20 * 2 ** 20))], offset), 1, gzipSync)
  const bytes = Buffer.concat([batch(0), batch(1), batch(2)])
  expect(bytes.length).toBeLessThan(2 ** 20)
  const { records, nextOffset, size } = readBatches(bytes, 0)
  expect([records.length, nextOffset]).toEqual([2, 2])
  expect(size).toBeGreaterThan(40 * 2 ** 20)
})

test('a batch that cannot be read becomes one record that says why, and reading goes on', () => {
  const unknown = compressed(stored([record('a'), record('b')], 3), 5, (bytes) => bytes)
  const garbage = compressed(stored([record('c')], 5), 1, () => Buffer.from('no gzip'))
  const bytes = Buffer.concat([unknown, garbage, stored([record('d')], 6)])
  const { records, nextOffset } = readBatches(bytes, 0)
  expect(records.map(({ offset, nextOffset: next, problem }) => [offset, next, problem])).toEqual([
    [3, 5, 'compression 5 is not known here'],
    [5, 6, 'incorrect header check'],
    [6, 7, undefined],
  ])
  expect(records[0]!.value).toEqual(unknown)
  expect(nextOffset).toBe(7)
})

test.each([
  ['snappy', 2, (bytes: Buffer) => compressSync(bytes).subarray(0, -1)],
  ['snappy that claims to be large', 2, () => Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0])],
  ['snappy in a cut frame', 2, (bytes: Buffer) => framed(bytes).subarray(0, -1)],
  ['lz4', 3, () => Buffer.from('no lz4')],
  ['zstd', 4, () => Buffer.from('no zstd')],
] as const)('what is no %s becomes a record that says why', (_, compression, compress) => {
  const batch = compressed(stored([record('a'), record('b')], 0), compression, compress)
  const { records, nextOffset } = readBatches(batch, 0)
  expect(records).toMatchObject([{ offset: 0, nextOffset: 2, value: batch, problem: expect.any(String) }])
  expect(nextOffset).toBe(2)
})

test('a batch whose checksum is wrong is told of whole, and reading goes on behind it', () => {
  const wrong = stored([record('a'), record('b')], 3)
  wrong[wrong.length - 1]! ^= 1
  const { records, nextOffset } = readBatches(Buffer.concat([wrong, stored([record('c')], 5)]), 3)
  expect(records.map(({ offset, problem }) => [offset, problem])).toEqual([
    [3, 'its checksum is wrong'],
    [5, undefined],
  ])
  expect(nextOffset).toBe(6)
})

test.each([-7, 0x7fffffff])(
  'where even the length of a batch in offsets is wrong (%d), nothing behind it is skipped, and reading goes on',
  (delta) => {
    const wrong = stored([record('a'), record('b')], 3)
    wrong.writeInt32BE(delta, 23)
    const { records } = readBatches(Buffer.concat([wrong, stored([record('c')], 5)]), 3)
    expect(records.at(-1)).toMatchObject({ offset: 5, problem: undefined })
    const alone = readBatches(wrong, 3)
    expect(alone.nextOffset).toBeGreaterThan(3)
    expect(alone.nextOffset).toBeLessThanOrEqual(4 + wrong.length)
  },
)

test('what was aborted and the markers of transactions are left out', () => {
  const inTransaction = (batch: Buffer, producer: number, flags: number): Buffer => {
    batch.writeInt16BE(flags, 21)
    batch.writeBigInt64BE(BigInt(producer), 43)
    return sealed(batch)
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

test.each(['gzip', 'zstd'] as const)('what is written by %s is read, and is shorter', (compression) => {
  const records = Array.from({ length: 50 }, (_, index) => record(`a text that repeats itself, ${index}`))
  const [plain, small] = [new Writer(), new Writer()]
  writeBatch(plain, records)
  writeBatch(small, records, compression)
  expect(small.length).toBeLessThan(plain.length / 3)
  const read = readBatches(Buffer.from(small.bytes().subarray(4)), 0)
  expect(read.records.map(({ value, problem }) => [String(value), problem])).toEqual(
    records.map(({ value }) => [String(value), undefined]),
  )
})

test('what compression makes longer is written as it is', () => {
  const [plain, same] = [new Writer(), new Writer()]
  writeBatch(plain, [record('x')])
  writeBatch(same, [record('x')], 'gzip')
  expect(same.bytes()).toEqual(plain.bytes())
})
