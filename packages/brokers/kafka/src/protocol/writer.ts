/** Writes what Kafka's protocol is made of, into a buffer that grows. */
export class Writer {
  private buffer: Buffer
  private position = 0

  constructor(size = 256) {
    this.buffer = Buffer.allocUnsafe(size)
  }

  get length(): number {
    return this.position
  }

  /** What was written; a view, which later writes may change. */
  bytes(): Buffer {
    return this.buffer.subarray(0, this.position)
  }

  /** From the beginning again, in the same memory. */
  reset(): void {
    this.position = 0
  }

  /** Forgets what was written from a position on. */
  cut(position: number): this {
    this.position = position
    return this
  }

  int8(value: number): this {
    this.room(1)
    this.position = this.buffer.writeInt8(value, this.position)
    return this
  }

  int16(value: number): this {
    this.room(2)
    this.position = this.buffer.writeInt16BE(value, this.position)
    return this
  }

  int32(value: number): this {
    this.room(4)
    this.position = this.buffer.writeInt32BE(value, this.position)
    return this
  }

  /** Whole numbers that a double holds. */
  int64(value: number): this {
    this.room(8)
    const high = Math.floor(value / 4_294_967_296)
    this.buffer.writeInt32BE(high, this.position)
    this.buffer.writeUInt32BE(value - high * 4_294_967_296, this.position + 4)
    this.position += 8
    return this
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0)
  }

  string(value: string): this {
    const length = Buffer.byteLength(value)
    this.int16(length)
    this.room(length)
    this.position += this.buffer.write(value, this.position, length)
    return this
  }

  nullableString(value: string | undefined): this {
    return value === undefined ? this.int16(-1) : this.string(value)
  }

  /** Preceded by their length. */
  sized(value: Uint8Array): this {
    return this.int32(value.length).raw(value)
  }

  raw(value: Uint8Array): this {
    this.room(value.length)
    this.buffer.set(value, this.position)
    this.position += value.length
    return this
  }

  array<Item>(items: readonly Item[], write: (item: Item) => void): this {
    this.int32(items.length)
    for (const item of items) write(item)
    return this
  }

  /** Zigzag, of a whole number between -2^31 and 2^31 - 1. */
  varint(value: number): this {
    return this.unsigned(((value << 1) ^ (value >> 31)) >>> 0)
  }

  /** A whole number from 0 to 2^32 - 1, of variable size. */
  unsigned(value: number): this {
    let rest = value
    this.room(5)
    while (rest > 127) {
      this.buffer[this.position++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.buffer[this.position++] = rest
    return this
  }

  /** As `varint`, of any whole number that a double holds. */
  varlong(value: number): this {
    if (value >= -1_073_741_824 && value < 1_073_741_824) return this.varint(value)
    let rest = value < 0 ? -value * 2 - 1 : value * 2
    this.room(10)
    while (rest > 127) {
      this.buffer[this.position++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.buffer[this.position++] = rest
    return this
  }

  /** Text preceded by its length as a `varint`. */
  varintString(value: string): this {
    const { length } = value
    // Nearly always as many bytes as characters: written first, then looked at.
    this.room(length * 3 + 5)
    const size = length < 64 ? 1 : length < 8_192 ? 2 : 5
    const written = this.buffer.write(value, this.position + size)
    return this.placed(size, written)
  }

  varintBytes(value: Uint8Array): this {
    return this.varint(value.length).raw(value)
  }

  /** What `write` writes, preceded by its length as a `varint`. */
  varintSized(write: () => void): this {
    // Two bytes say up to 8,191, more than most records have.
    this.room(2)
    const start = this.position
    this.position += 2
    write()
    const written = this.position - start - 2
    this.position = start
    this.room(written + 7)
    return this.placed(2, written)
  }

  /** Sets a number that was left open. */
  setInt32(position: number, value: number): void {
    this.buffer.writeInt32BE(value | 0, position)
  }

  setInt16(position: number, value: number): void {
    this.buffer.writeInt16BE(value, position)
  }

  setInt64(position: number, value: number): void {
    const end = this.position
    this.position = position
    this.int64(value)
    this.position = end
  }

  /** Puts the length before `written` bytes that are `reserved` after the position, moving them where that does not fit. */
  private placed(reserved: number, written: number): this {
    const start = this.position + reserved
    const needed = varintSize(written)
    if (needed !== reserved) {
      this.room(needed + written)
      this.buffer.copyWithin(this.position + needed, start, start + written)
    }
    this.varint(written)
    this.position += written
    return this
  }

  private room(size: number): void {
    if (this.position + size <= this.buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.position + size))
    // All of it: what lies behind the position may be on its way to its place.
    this.buffer.copy(larger)
    this.buffer = larger
  }
}

function varintSize(value: number): number {
  let rest = value * 2
  let size = 1
  while (rest > 127) {
    rest = Math.floor(rest / 128)
    size += 1
  }
  return size
}
