/** Reads what Kafka's protocol is made of. Throws a `RangeError` where there is less than there should be. */
export class Reader {
  readonly buffer: Buffer
  position: number
  private readonly end: number

  constructor(buffer: Buffer, position = 0, end: number = buffer.length) {
    this.buffer = buffer
    this.position = position
    this.end = end
  }

  get left(): number {
    return this.end - this.position
  }

  int8(): number {
    return this.buffer.readInt8(this.forward(1))
  }

  int16(): number {
    return this.buffer.readInt16BE(this.forward(2))
  }

  int32(): number {
    return this.buffer.readInt32BE(this.forward(4))
  }

  /** Exact up to 2^53. */
  int64(): number {
    const at = this.forward(8)
    return this.buffer.readInt32BE(at) * 4_294_967_296 + this.buffer.readUInt32BE(at + 4)
  }

  boolean(): boolean {
    return this.int8() !== 0
  }

  string(): string {
    return this.nullableString() ?? ''
  }

  nullableString(): string | undefined {
    const length = this.int16()
    if (length < 0) return undefined
    return this.text(length)
  }

  /** A view; nothing where it is null. */
  sized(): Buffer {
    const length = this.int32()
    return length < 0 ? this.buffer.subarray(0, 0) : this.raw(length)
  }

  array<Item>(read: () => Item): Item[] {
    const count = this.int32()
    const items: Item[] = []
    for (let index = 0; index < count; index++) items.push(read())
    return items
  }

  varint(): number {
    const value = this.unsigned()
    return (value >>> 1) ^ -(value & 1)
  }

  /** From 0 to 2^32 - 1. */
  unsigned(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      value |= (byte & 127) << shift
      if (byte < 128) return value >>> 0
    }
    throw new RangeError('a number of more than five bytes')
  }

  varlong(): number {
    let value = 0
    let factor = 1
    for (let count = 0; count < 10; count++) {
      const byte = this.byte()
      value += (byte & 127) * factor
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
      factor *= 128
    }
    throw new RangeError('a number of more than ten bytes')
  }

  /** A view; `undefined` where it is null. */
  varintBytes(): Buffer | undefined {
    const length = this.varint()
    return length < 0 ? undefined : this.raw(length)
  }

  varintString(): string {
    const length = this.varint()
    return length <= 0 ? '' : this.text(length)
  }

  raw(length: number): Buffer {
    const at = this.forward(length)
    return this.buffer.subarray(at, at + length)
  }

  skip(length: number): void {
    this.forward(length)
  }

  text(length: number): string {
    const at = this.forward(length)
    return this.buffer.toString('utf8', at, at + length)
  }

  private byte(): number {
    return this.buffer[this.forward(1)]!
  }

  private forward(length: number): number {
    const at = this.position
    if (length < 0 || at + length > this.end) throw new RangeError('the bytes end too early')
    this.position = at + length
    return at
  }
}
