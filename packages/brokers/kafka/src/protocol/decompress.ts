import { gunzipSync, zstdDecompressSync } from 'node:zlib'

const names = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** What a batch holds, by the compression of its attributes. Throws where that is not known here, or the bytes are none. */
export function decompress(bytes: Buffer, attributes: number, maxBytes: number): Buffer {
  const compression = attributes & 7
  if (compression === 0) return bytes
  const options = { maxOutputLength: maxBytes }
  if (compression === 1) return gunzipSync(bytes, options)
  if (compression === 4) return zstdDecompressSync(bytes, options)
  throw new Error(`${names[compression] ?? `compression ${compression}`} cannot be decompressed here`)
}
