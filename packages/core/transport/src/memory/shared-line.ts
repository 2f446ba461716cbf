import { Session } from './session.ts'
import type { Consumer } from './consumer.ts'
import type { Line } from './line.ts'
import type { BrokerParts } from './parts.ts'
import type { Queue } from './queue.ts'

/** How the consumers of one queue share it. */
export interface Sharing {
  readonly consumers: ReadonlySet<Consumer>
  join(consumer: Consumer): void
  /** Its sessions have ended. */
  leave(consumer: Consumer): void
  /** A session ended while its consumer goes on. */
  renew(consumer: Consumer): void
}

/** Each consumer has a session of its own, and all sessions get from the same line. */
export class SharedLine implements Sharing {
  readonly consumers: Set<Consumer> = new Set()
  private readonly queue: Queue
  private readonly parts: BrokerParts
  private sessions = 0

  constructor(queue: Queue, parts: BrokerParts) {
    this.queue = queue
    this.parts = parts
  }

  join(consumer: Consumer): void {
    this.consumers.add(consumer)
    this.renew(consumer)
  }

  leave(consumer: Consumer): void {
    this.consumers.delete(consumer)
  }

  renew(consumer: Consumer): void {
    if (!this.consumers.has(consumer)) return
    const name = `session ${++this.sessions} of ${this.queue.name}`
    consumer.open(new Session(name, this.queue.lines[0] as Line, consumer, this.parts))
  }
}
