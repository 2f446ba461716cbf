import { headersOf } from './from-wire.ts'
import type { Publisher } from './publisher.ts'
import type { PosthornError, WireMessage } from '@posthorn/transport/driver'
import type { Channel, ConsumeMessage } from 'amqplib'

/** Finds the copy that was made. */
const holdHeader = 'posthorn-hold'

export interface HeldMessagesOptions {
  readonly channel: Channel
  /** Where they are kept. */
  readonly queue: string
  readonly publisher: Publisher
  /** Unique among all processes. */
  readonly createId: () => string
  /** A message that an earlier owner held. */
  found(raw: ConsumeMessage): void
}

/**
 * What is recorded of messages whose key waits for them. The owner of the queue reads the records on its own channel, so
 * that they come to the next owner when that channel ends.
 */
export class HeldMessages {
  private readonly options: HeldMessagesOptions
  private readonly expected = new Map<string, (raw: ConsumeMessage | undefined) => void>()
  private missing = 0
  private allFound: () => void = () => undefined

  constructor(options: HeldMessagesOptions) {
    this.options = options
  }

  /** Starts to read; resolves when the `count` messages of earlier owners have been found. */
  async start(count: number): Promise<void> {
    const { channel, queue } = this.options
    const found = new Promise<void>((resolve) => {
      this.missing = count
      this.allFound = resolve
      if (count === 0) resolve()
    })
    // No window: what is held counts as unsettled already.
    await channel.prefetch(0)
    await channel.consume(queue, (raw) => {
      if (raw !== null) this.arrived(raw)
    })
    await found
  }

  /** Records the message; answers the tag of the record, which is this channel's now, or `undefined` when that ended. */
  async hold(message: WireMessage, deadline: number): Promise<number | PosthornError | undefined> {
    const { queue, publisher, createId } = this.options
    const token = createId()
    const arrival = new Promise<ConsumeMessage | undefined>((resolve) => this.expected.set(token, resolve))
    const item = { routingKey: queue, message, headers: { [holdHeader]: token } }
    const [outcome = 'confirmed'] = await publisher.toQueues([item], deadline)
    if (outcome !== 'confirmed') {
      this.expected.delete(token)
      return outcome
    }
    return (await arrival)?.fields.deliveryTag
  }

  /** The channel is gone. */
  close(): void {
    for (const resolve of this.expected.values()) resolve(undefined)
    this.expected.clear()
    this.allFound()
  }

  private arrived(raw: ConsumeMessage): void {
    const token = headersOf(raw)[holdHeader]
    const resolve = typeof token === 'string' ? this.expected.get(token) : undefined
    if (resolve !== undefined) {
      this.expected.delete(token as string)
      resolve(raw)
      return
    }
    this.options.found(raw)
    this.missing -= 1
    if (this.missing === 0) this.allFound()
  }
}
