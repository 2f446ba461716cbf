import { amqpMethods, type AmqpFrame } from '@posthorn/test-brokers'

// type 1, channel 2, size 4, class 2, method 2, reserved 2; then exchange and routing key, each a byte for its length first.
const exchangeAt = 13

export interface Address {
  readonly exchange: string
  readonly routingKey: string
}

/** Where a frame publishes to; `undefined` for frames that do not. */
export function addressIn({ method, bytes }: AmqpFrame): Address | undefined {
  if (method !== amqpMethods.basicPublish) return undefined
  const exchange = textAt(bytes, exchangeAt)
  const routingKey = textAt(bytes, exchangeAt + 1 + exchange.length)
  return { exchange: exchange.toString(), routingKey: routingKey.toString() }
}

/** The same frame, to a queue. */
export function redirect({ bytes }: AmqpFrame, queue: string): Buffer {
  const exchange = textAt(bytes, exchangeAt)
  const routingKey = textAt(bytes, exchangeAt + 1 + exchange.length)
  const key = Buffer.from(queue)
  const sent = Buffer.concat([
    bytes.subarray(0, exchangeAt),
    Buffer.from([0, key.length]),
    key,
    bytes.subarray(exchangeAt + 2 + exchange.length + routingKey.length),
  ])
  // Without its header of 7 bytes and the byte at its end.
  sent.writeUInt32BE(sent.length - 8, 3)
  return sent
}

function textAt(bytes: Buffer, offset: number): Buffer {
  return bytes.subarray(offset + 1, offset + 1 + (bytes[offset] ?? 0))
}
