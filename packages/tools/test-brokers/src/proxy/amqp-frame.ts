const methodFrame = 1

/** A frame of AMQP 0-9-1. */
export interface AmqpFrame {
  /** Counts the clients that have connected to the proxy, from 1. */
  readonly connection: number
  readonly channel: number
  /** Class and method, `60.80` for `basic.ack`; `undefined` where it is a header, a body, or something else. */
  readonly method: string | undefined
  /** All of it, from its type to its last byte. */
  readonly bytes: Buffer
}

/** Methods by what the specification calls them. */
export const amqpMethods = { channelOpen: '20.10', basicPublish: '60.40', basicAck: '60.80' } as const

export function readAmqpFrame(connection: number, bytes: Buffer): AmqpFrame {
  const isMethod = bytes[0] === methodFrame && bytes.length >= 12
  return {
    connection,
    channel: bytes.readUInt16BE(1),
    method: isMethod ? `${bytes.readUInt16BE(7)}.${bytes.readUInt16BE(9)}` : undefined,
    bytes,
  }
}
