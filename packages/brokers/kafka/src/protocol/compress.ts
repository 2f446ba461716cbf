import { gzipSync, zstdCompressSync } from 'node:zlib'

/** How batches are written. */
export type Compression = 'none' | 'gzip' | 'zstd'

/** As the attributes of a batch have it. */
export const compressionIds = { none: 0, gzip: 1, zstd: 4 } as const

export function compress(bytes: Uint8Array, compression: Exclude<Compression, 'none'>): Buffer {
  return compression === 'gzip' ? gzipSync(bytes) : zstdCompressSync(bytes)
}
