import { createRequire } from 'node:module'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { lz4Size } from './lz4-size.ts'
import { unpackSnappy } from './unpack-snappy.ts'

const load = createRequire(import.meta.url)

/** Packages that are loaded when the first batch needs them. */
const packages = { snappy: 'snappy', lz4: 'lz4-napi' } as const

/**
 * What a batch holds, by the compression of its attributes. Throws where the bytes are none, or more than `maxBytes` come of
 * them, or the package that can read them is not installed.
 */
export function decompress(bytes: Buffer, attributes: number, maxBytes: number): Buffer {
  switch (attributes & 7) {
    case 0:
      return bytes
    case 1:
      return gunzipSync(bytes, { maxOutputLength: maxBytes })
    case 2: {
      const { uncompressSync } = open('snappy', () => load('snappy') as typeof import('snappy'))
      return unpackSnappy(bytes, maxBytes, (block) => uncompressSync(block) as Buffer)
    }
    case 3: {
      const { decompressFrameSync } = open('lz4', () => load('lz4-napi') as typeof import('lz4-napi'))
      const size = lz4Size(bytes)
      if (size > maxBytes) throw new RangeError(`${size} bytes may come of it, more than ${maxBytes}`)
      return decompressFrameSync(bytes)
    }
    case 4:
      return zstdDecompressSync(bytes, { maxOutputLength: maxBytes })
    default:
      throw new Error(`compression ${attributes & 7} is not known here`)
  }
}

function open<Library>(name: keyof typeof packages, require: () => Library): Library {
  try {
    return require()
  } catch (error) {
    const text = `what is compressed by ${name} can be read where the package "${packages[name]}" is installed`
    throw new Error(text, { cause: error })
  }
}
