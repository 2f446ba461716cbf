import { isPosthornError, type Message, type OutgoingMessage, type Transport } from '@posthorn/transport'

/** What the sender was told of each message, and how often a handler saw it. Every message has an id of its own. */
export class Witness {
  readonly confirmed: Set<string> = new Set()
  readonly rejected: Set<string> = new Set()
  readonly unknown: Set<string> = new Set()
  /** Why those were rejected or are unknown. */
  readonly errors: unknown[] = []
  /** What ended a send with no outcome, which none may. */
  readonly strange: unknown[] = []
  readonly handled: Map<string, number> = new Map()

  async send(transport: Transport, queue: string, message: OutgoingMessage & { id: string }): Promise<void> {
    await this.record(message.id, () => transport.send(queue, message))
  }

  async publish(
    transport: Transport,
    topic: string,
    message: OutgoingMessage & { id: string },
  ): Promise<void> {
    await this.record(message.id, () => transport.publish(topic, message))
  }

  /** To be the handler, or called by it. */
  readonly handle = ({ id }: Pick<Message, 'id'>): void => {
    this.handled.set(id, (this.handled.get(id) ?? 0) + 1)
  }

  /** Confirmed, and not handled so far. */
  get missing(): string[] {
    return [...this.confirmed].filter((id) => !this.handled.has(id))
  }

  /** Said not to be there, and handled all the same. */
  get untrue(): string[] {
    return [...this.rejected].filter((id) => this.handled.has(id))
  }

  /** Handled more than once. */
  get repeated(): string[] {
    return [...this.handled].filter(([, count]) => count > 1).map(([id]) => id)
  }

  get sent(): number {
    return this.confirmed.size + this.rejected.size + this.unknown.size
  }

  private async record(id: string, send: () => Promise<void>): Promise<void> {
    try {
      await send()
      this.confirmed.add(id)
    } catch (error) {
      this.errors.push(error)
      if (!isPosthornError(error) || error.outcome === undefined) this.strange.push(error)
      else this[error.outcome].add(id)
    }
  }
}
