import type { WireProperties } from './to-wire.ts'
import type { ConfirmChannel, Options } from 'amqplib'

/** Where a message goes, and whether it comes back when nobody takes it. */
export interface WireAddress {
  readonly exchange: string
  readonly routingKey: string
  readonly mandatory: boolean
}

/** What `publish` of amqplib 2.3 is made of. Nobody has promised that it stays so. */
interface Writing {
  sendMessage(address: WireAddress, properties: WireProperties, body: Buffer): boolean
  pushConfirmCallback(callback: (error: unknown) => void): void
}

/**
 * Gives a message to a channel; false when it should be the last one for now. `publish` itself makes the headers the prototype
 * of another object, which takes longer than all the rest.
 */
export function writeMessage(
  channel: ConfirmChannel,
  address: WireAddress,
  properties: WireProperties,
  body: Buffer,
  confirmed: (error: unknown) => void,
): boolean {
  const writing = channel as ConfirmChannel & Partial<Writing>
  if (writing.sendMessage === undefined || writing.pushConfirmCallback === undefined) {
    const { exchange, routingKey, mandatory } = address
    const options = { ...properties, mandatory } as Options.Publish
    return channel.publish(exchange, routingKey, body, options, confirmed)
  }
  const hasRoom = writing.sendMessage(address, properties, body)
  writing.pushConfirmCallback(confirmed)
  return hasRoom
}
