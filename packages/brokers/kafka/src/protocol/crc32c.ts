const polynomial = 0x82f63b78
/** How many bytes are looked at together; a power of two, larger than four. */
const stride = 16
const table = makeTable()

/** The checksum of record batches: CRC-32C, as a signed number. Node.js has only the other CRC-32. */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1
  let at = start
  // Written out: a loop would take twice as long.
  for (const last = end - (stride - 1); at < last; at += stride) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    crc =
      table[3_840 + (crc & 255)]! ^
      table[3_584 + ((crc >>> 8) & 255)]! ^
      table[3_328 + ((crc >>> 16) & 255)]! ^
      table[3_072 + (crc >>> 24)]! ^
      table[2_816 + bytes[at + 4]!]! ^
      table[2_560 + bytes[at + 5]!]! ^
      table[2_304 + bytes[at + 6]!]! ^
      table[2_048 + bytes[at + 7]!]! ^
      table[1_792 + bytes[at + 8]!]! ^
      table[1_536 + bytes[at + 9]!]! ^
      table[1_280 + bytes[at + 10]!]! ^
      table[1_024 + bytes[at + 11]!]! ^
      table[768 + bytes[at + 12]!]! ^
      table[512 + bytes[at + 13]!]! ^
      table[256 + bytes[at + 14]!]! ^
      table[bytes[at + 15]!]!
  }
  for (; at < end; at++) crc = table[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8)
  return ~crc
}

/** 256 numbers for each byte of a stride, that of the last byte first. */
function makeTable(): Int32Array {
  const all = new Int32Array(256 * stride)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
    all[byte] = crc
  }
  for (let index = 256; index < all.length; index++) {
    const before = all[index - 256]!
    all[index] = (before >>> 8) ^ all[before & 255]!
  }
  return all
}
