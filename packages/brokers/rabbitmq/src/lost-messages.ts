import { fromWire, headersOf, type ReadingContext } from './from-wire.ts'
import { ownObjects } from './names.ts'
import { isDriverHeader } from './retry-ladder.ts'
import type { Publisher } from './publisher.ts'
import type { Questions } from './questions.ts'
import type { Channel, ChannelModel } from 'amqplib'

/** Of one look. More wait for the next declaration. */
const maxMessages = 10_000

export interface LostMessagesOptions {
  readonly model: ChannelModel
  readonly questions: Questions
  readonly publisher: Publisher
  readonly readingContext: () => ReadingContext
}

/** Sends home what came back for a queue that was deleted meanwhile, and is there again. */
export class LostMessages {
  private readonly options: LostMessagesOptions
  private isLooking = false

  constructor(options: LostMessagesOptions) {
    this.options = options
  }

  /** Looks once. What still belongs nowhere is kept; nothing is lost when this fails halfway. */
  async look(deadline: number): Promise<void> {
    const { questions, model } = this.options
    if (this.isLooking) return
    const { messageCount } = await questions.ask((channel) => channel.checkQueue(ownObjects.lost))
    if (messageCount === 0) return
    this.isLooking = true
    const channel = await model.createChannel()
    channel.on('error', () => undefined)
    try {
      for (let left = Math.min(messageCount, maxMessages); left > 0; left -= 1) {
        if (!(await this.sendHome(channel, deadline))) break
      }
    } finally {
      this.isLooking = false
      // What was not acked stays.
      await channel.close().catch(() => undefined)
    }
  }

  /** False when there is nothing more, or it cannot be written now. */
  private async sendHome(channel: Channel, deadline: number): Promise<boolean> {
    const { publisher, readingContext } = this.options
    const raw = await channel.get(ownObjects.lost)
    if (raw === false) return false
    const { message } = fromWire(raw, readingContext())
    const own = Object.entries(headersOf(raw)).filter(
      ([name, value]) => isDriverHeader(name) && typeof value === 'string',
    )
    const headers = Object.fromEntries(own) as Record<string, string>
    // Where there is no way, it comes back to the end of this queue.
    const [outcome] = await publisher.toReturns(
      [{ routingKey: message.routingKey, message, headers }],
      deadline,
    )
    if (outcome !== 'confirmed') return false
    channel.ack(raw)
    return true
  }
}
