import { Reader } from './reader.ts'

/** What Java's library begins with: a magic word, and two versions. It writes blocks, each preceded by its length. */
const magic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const headLength = 16

/** Snappy as Kafka's clients write it: one block, or several in the framing of Java's library. Throws where it is neither. */
export function unpackSnappy(bytes: Buffer, maxBytes: number, unpack: (block: Buffer) => Buffer): Buffer {
  if (!bytes.subarray(0, magic.length).equals(magic)) return unpackBlock(bytes, maxBytes, unpack)
  const reader = new Reader(bytes, headLength)
  const blocks: Buffer[] = []
  for (let room = maxBytes; reader.left > 0;) {
    const block = unpackBlock(reader.raw(reader.int32()), room, unpack)
    room -= block.length
    blocks.push(block)
  }
  return Buffer.concat(blocks)
}

function unpackBlock(block: Buffer, maxBytes: number, unpack: (block: Buffer) => Buffer): Buffer {
  // It begins with what comes of it, as a number of variable size.
  let size = 0
  for (let at = 0; at < 5; at++) {
    const byte = block[at] ?? 0
    size += (byte & 127) * 2 ** (7 * at)
    if (byte < 128) break
  }
  if (size > maxBytes) throw new RangeError(`${size} bytes come of it, more than ${maxBytes}`)
  return unpack(block)
}
