import { ChunkedQueue } from './chunked-queue.ts'
import type { WireMessage } from '../contract/wire-message.ts'

interface Past {
  readonly message: WireMessage
  /** Epoch milliseconds. */
  readonly at: number
}

/** The newest messages of a topic, for groups that start in the past. */
export class History {
  private readonly items = new ChunkedQueue<Past>()
  private readonly maxMessages: number
  private readonly maxBytes: number
  private bytes = 0

  constructor(maxMessages: number, maxBytes: number) {
    this.maxMessages = maxMessages
    this.maxBytes = maxBytes
  }

  add(message: WireMessage, at: number): void {
    this.items.push({ message, at })
    this.bytes += message.body.byteLength
    while (this.items.length > this.maxMessages || this.bytes > this.maxBytes) {
      this.bytes -= (this.items.shift() as Past).message.body.byteLength
    }
  }

  /** What was published at or after a moment, in order. */
  *since(from: 'earliest' | Date): Generator<WireMessage> {
    const start = from === 'earliest' ? -Infinity : from.getTime()
    for (const { message, at } of this.items) if (at >= start) yield message
  }
}
