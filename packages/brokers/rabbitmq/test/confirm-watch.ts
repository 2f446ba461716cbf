import { amqpMethods, type AmqpFrame } from '@posthorn/test-brokers'
import { addressIn, type Address } from './publish-frame.ts'

// type 1, channel 2, size 4, class 2, method 2; then the tag, and whether it stands for all before it.
const tagAt = 11

/** Knows which confirmations of one client are about sends, and not about copies that its driver makes of messages. */
export class ConfirmWatch {
  /** Of each channel that publishes, what its tags are that are not confirmed yet. */
  private readonly open = new Map<string, { last: number; readonly sends: Map<number, boolean> }>()

  /** Sees what the client sends. */
  published(frame: AmqpFrame): void {
    if (frame.method === amqpMethods.channelOpen) this.open.set(nameOf(frame), { last: 0, sends: new Map() })
    const address = addressIn(frame)
    const channel = this.open.get(nameOf(frame))
    if (address !== undefined && channel !== undefined)
      channel.sends.set((channel.last += 1), isSend(address))
  }

  /** Sees what the server sends: whether it confirms sends, and nothing else. */
  confirmsSends(frame: AmqpFrame): boolean {
    const { method, bytes } = frame
    const channel = this.open.get(nameOf(frame))
    if (method !== amqpMethods.basicAck || channel === undefined) return false
    const tag = Number(bytes.readBigUInt64BE(tagAt))
    const isMultiple = bytes[tagAt + 8] === 1
    const about = [...channel.sends].filter(([one]) => (isMultiple ? one <= tag : one === tag))
    for (const [one] of about) channel.sends.delete(one)
    return about.length > 0 && about.every(([, send]) => send)
  }
}

const nameOf = ({ connection, channel }: AmqpFrame): string => `${connection} ${channel}`

/** Whether it is a message of the user's; what the driver copies goes to queues and exchanges of its own. */
export function isSend({ exchange, routingKey }: Address): boolean {
  if (exchange !== '') return !exchange.startsWith('posthorn:')
  return !routingKey.includes('~') && !routingKey.endsWith('.dlq')
}
