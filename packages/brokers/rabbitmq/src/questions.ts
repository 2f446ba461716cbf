import type { Channel, ChannelModel } from 'amqplib'

/**
 * Asks the broker one thing after the other. An answer such as "there is no such queue" closes its channel, so the next
 * question gets another one.
 */
export class Questions {
  private readonly model: ChannelModel
  private channel: Channel | undefined
  private last: Promise<unknown> = Promise.resolve()

  constructor(model: ChannelModel) {
    this.model = model
  }

  /** Opens the channel. Rejects with what amqplib says. */
  async ready(): Promise<void> {
    await this.ask(async () => undefined)
  }

  /** Rejects with what amqplib says. */
  ask<Answer>(question: (channel: Channel) => Promise<Answer>): Promise<Answer> {
    const answer = this.last.then(async () => question(await this.open()))
    this.last = answer.catch(() => undefined)
    return answer
  }

  private async open(): Promise<Channel> {
    if (this.channel !== undefined) return this.channel
    const channel = await this.model.createChannel()
    const forget = (): void => {
      if (this.channel === channel) this.channel = undefined
    }
    channel.on('error', forget)
    channel.on('close', forget)
    this.channel = channel
    return channel
  }
}
