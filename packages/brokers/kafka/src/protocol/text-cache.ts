import type { Reader } from './reader.ts'

/** Longer ones are seldom the same twice. */
const maxLength = 64
/** How many headers of a record are looked at so. */
const maxPlaces = 64

interface Known {
  readonly bytes: Buffer
  readonly text: string
}

/** Reads texts of which the one at the same place of the record before was often the same. */
export class TextCache {
  private readonly known: (Known | undefined)[] = []

  read(reader: Reader, length: number, place: number): string {
    const { buffer, position } = reader
    const known = this.known[place]
    if (known !== undefined && known.bytes.length === length && isAt(known.bytes, buffer, position)) {
      reader.skip(length)
      return known.text
    }
    const bytes = reader.raw(length)
    const text = bytes.toString()
    if (length <= maxLength && place < maxPlaces) this.known[place] = { bytes, text }
    return text
  }
}

/** From the end: what comes one after the other begins alike. */
function isAt(bytes: Buffer, buffer: Buffer, position: number): boolean {
  for (let index = bytes.length - 1; index >= 0; index--) {
    if (bytes[index] !== buffer[position + index]) return false
  }
  return true
}
