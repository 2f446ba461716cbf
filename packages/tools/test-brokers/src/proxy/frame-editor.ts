import { AmqpFrameCounter } from './amqp-frame-counter.ts'
import { readAmqpFrame, type AmqpFrame } from './amqp-frame.ts'

/** What passes in the place of a frame; `undefined`: nothing does. */
export type FrameChange = (frame: AmqpFrame) => Buffer | undefined

/** Shows a change the frames of one direction of one connection, each whole; without a change bytes pass as they come. */
export class FrameEditor {
  #boundaries = new AmqpFrameCounter(() => true)
  /** The beginning of a frame that is to be shown. */
  #begun: Buffer[] = []
  /** What comes now belongs to a frame whose beginning has passed. */
  #isWithin = false
  #connection: number

  constructor(connection: number) {
    this.#connection = connection
  }

  /** What passes of the bytes; a frame of which a part is still to come is kept while there is a change. */
  push(bytes: Buffer, change: FrameChange | undefined): Buffer {
    const ends = this.#boundaries.push(bytes)
    const passing: Buffer[] = []
    let start = 0
    for (const end of ends) {
      if (this.#isWithin || change === undefined) passing.push(...this.#begun, bytes.subarray(start, end))
      else passing.push(...this.#changed(Buffer.concat([...this.#begun, bytes.subarray(start, end)]), change))
      this.#begun = []
      this.#isWithin = false
      start = end
    }
    if (start < bytes.length) {
      const rest = bytes.subarray(start)
      if (this.#isWithin || change === undefined) {
        passing.push(...this.#begun, rest)
        this.#begun = []
        this.#isWithin = true
      } else {
        this.#begun.push(rest)
      }
    }
    return passing.length === 1 ? (passing[0] as Buffer) : Buffer.concat(passing)
  }

  #changed(bytes: Buffer, change: FrameChange): readonly Buffer[] {
    const passes = change(readAmqpFrame(this.#connection, bytes))
    return passes === undefined ? [] : [passes]
  }
}
