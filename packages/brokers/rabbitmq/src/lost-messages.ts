import { fromWire, headersOf, type ReadingContext } from './from-wire.ts'
import { maxUnsettled } from './max-unsettled.ts'
import { ownObjects } from './names.ts'
import { homeOf, isDriverHeader } from './retry-ladder.ts'
import type { Outgoing } from './publish-batch.ts'
import type { Publisher } from './publisher.ts'
import type { Questions } from './questions.ts'
import type { PosthornError } from '@posthorn/transport/driver'
import type { Channel, ChannelModel, GetMessage } from 'amqplib'

/** Of one look. More wait for the next declaration. */
const maxMessages = 10_000

/** How long a message may take to be sent home. Milliseconds. */
const patienceMs = 10_000

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
  /** Declared while a look was under way. */
  private readonly next = new Set<string>()
  /** After a look: how many were left, and where all that it saw belong. */
  private left = 0
  private homes = new Set<string>()

  constructor(options: LostMessagesOptions) {
    this.options = options
  }

  /**
   * Looks for what belongs to these queues and topics, or has come since the last look. What has no home stays; nothing is lost
   * when this fails halfway. Never rejects.
   */
  async look(declared: readonly string[]): Promise<void> {
    for (const name of declared) this.next.add(name)
    if (this.isLooking) return
    this.isLooking = true
    try {
      while (this.next.size > 0) {
        const names = [...this.next]
        this.next.clear()
        await this.lookOnce(names)
      }
    } catch {
      // The connection is going, or somebody has deleted the queue; the next declaration looks again.
      this.left = 0
    } finally {
      this.isLooking = false
    }
  }

  private async lookOnce(declared: readonly string[]): Promise<void> {
    const messageCount = await this.count()
    const isNews = messageCount !== this.left || declared.some((name) => this.homes.has(name))
    if (messageCount === 0 || !isNews) return
    this.homes = new Set()
    const channel = await this.options.model.createChannel()
    channel.on('error', () => undefined)
    try {
      await this.sendHome(channel, Math.min(messageCount, maxMessages))
    } finally {
      // What was not acked stays.
      await channel.close().catch(() => undefined)
    }
    this.left = await this.count()
  }

  private async count(): Promise<number> {
    return (await this.options.questions.ask((channel) => channel.checkQueue(ownObjects.lost))).messageCount
  }

  /** Where there is no way, a message comes back to the end. */
  private async sendHome(channel: Channel, count: number): Promise<void> {
    for (let unread = count; unread > 0;) {
      const messages = await read(channel, Math.min(unread, maxUnsettled))
      if (messages.length === 0) return
      unread -= messages.length
      await this.write(channel, messages)
    }
  }

  private async write(channel: Channel, messages: readonly GetMessage[]): Promise<void> {
    const { publisher, readingContext } = this.options
    const context = readingContext()
    const copies = messages.map((raw): Outgoing => {
      const { message } = fromWire(raw, context)
      const own = Object.entries(headersOf(raw)).filter(
        ([name, value]) => isDriverHeader(name) && typeof value === 'string',
      )
      const headers = Object.fromEntries(own) as Record<string, string>
      const home = homeOf(headers)
      if (home !== undefined && this.homes.size < maxMessages) this.homes.add(home)
      return { routingKey: message.routingKey, message, headers }
    })
    const outcomes = await publisher.toReturns(copies, context.now + patienceMs)
    const failed = outcomes.findIndex((outcome) => outcome !== 'confirmed')
    const last = messages.at(failed === -1 ? -1 : failed - 1)
    if (failed !== 0 && last !== undefined) channel.ack(last, true)
    if (failed !== -1) throw outcomes[failed] as PosthornError
  }
}

async function read(channel: Channel, max: number): Promise<readonly GetMessage[]> {
  const messages: GetMessage[] = []
  while (messages.length < max) {
    const raw = await channel.get(ownObjects.lost)
    // Others look, too.
    if (raw === false) break
    messages.push(raw)
  }
  return messages
}
