const magic = 0x184d2204

/** How many bytes come of an LZ4 frame at most, without unpacking it. Throws where it is none. */
export function lz4Size(frame: Buffer): number {
  if (frame.readUInt32LE(0) !== magic) throw new Error('it is no LZ4 frame')
  const [flags, sizes] = [frame.readUInt8(4), frame.readUInt8(5)]
  const blockBytes = 2 ** (8 + 2 * ((sizes >> 4) & 7))
  const checksum = (flags & 16) === 0 ? 0 : 4
  let at = 7 + ((flags & 8) === 0 ? 0 : 8) + ((flags & 1) === 0 ? 0 : 4)
  let most = 0
  for (;;) {
    const size = frame.readUInt32LE(at)
    if (size === 0) return most
    const length = size & 0x7fffffff
    // A byte says 255 at most.
    most += size > 0x7fffffff ? length : Math.min(blockBytes, length * 255)
    at += 4 + length + checksum
  }
}
