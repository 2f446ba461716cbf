const protocolHeaderBytes = 8
const frameHeaderBytes = 7
const frameEnd = 0xce
const heartbeat = 8
/** `A` of the protocol header, which is no frame; frame types are small numbers. */
const protocolHeaderStart = 0x41

/** Heartbeats do not count, as when they come depends on time, nor does the protocol's header, which is no frame. */
const countsUsually = (type: number): boolean => type !== heartbeat && type !== protocolHeaderStart

/**
 * Finds the ends of AMQP 0-9-1 frames in one direction of one connection. A frame is: type (1 byte), channel (2), size
 * of the payload (4), the payload, 0xCE. The protocol's header is taken for one of the type 65.
 */
export class AmqpFrameCounter {
  /** Bytes of the current frame that have not come yet; 0 while its header is being read. */
  #missing = 0
  #header = Buffer.alloc(frameHeaderBytes)
  #headerLength = 0
  #atStart = true
  #type = 0
  #counts: (type: number) => boolean

  constructor(counts: (type: number) => boolean = countsUsually) {
    this.#counts = counts
  }

  /** Offsets in `bytes` right behind each counted frame that ends there. */
  push(bytes: Buffer): number[] {
    const ends: number[] = []
    let offset = 0
    while (offset < bytes.length) {
      if (this.#missing === 0) {
        offset = this.#readHeader(bytes, offset)
        continue
      }
      const taken = Math.min(this.#missing, bytes.length - offset)
      this.#missing -= taken
      offset += taken
      if (this.#missing > 0 || !this.#counts(this.#type)) continue
      const last = bytes[offset - 1]
      if (last !== frameEnd && this.#type !== protocolHeaderStart)
        throw new Error(`A frame ends with ${last}, not ${frameEnd}: this is no AMQP 0-9-1`)
      ends.push(offset)
    }
    return ends
  }

  #readHeader(bytes: Buffer, offset: number): number {
    if (this.#atStart) {
      this.#atStart = false
      if (bytes[offset] === protocolHeaderStart) {
        this.#missing = protocolHeaderBytes
        this.#type = protocolHeaderStart
        return offset
      }
    }
    const taken = bytes.copy(
      this.#header,
      this.#headerLength,
      offset,
      offset + frameHeaderBytes - this.#headerLength,
    )
    this.#headerLength += taken
    if (this.#headerLength === frameHeaderBytes) {
      this.#headerLength = 0
      this.#missing = this.#header.readUInt32BE(3) + 1
      this.#type = this.#header[0] ?? 0
    }
    return offset + taken
  }
}
