import { gzipSync, zstdCompressSync } from 'node:zlib'
import { compressFrameSync } from 'lz4-napi'
import { compressSync } from 'snappy'
import { expect, test } from 'vitest'
import { decompress } from './decompress.ts'

const content = Buffer.alloc(1_000_000, 'a')

test.each([
  ['gzip', 1, gzipSync(content)],
  ['snappy', 2, compressSync(content)],
  ['lz4', 3, compressFrameSync(content)],
  ['zstd', 4, zstdCompressSync(content)],
])('%s: little that becomes much is refused before it is unpacked', (_, attributes, bytes) => {
  expect(decompress(bytes, attributes, 2_000_000).equals(content)).toBe(true)
  expect(() => decompress(bytes, attributes, 100_000)).toThrow(RangeError)
})
