import type { Message } from '../contract/message.ts'
import type { MessageHeaders, WireMessage } from '../contract/wire-message.ts'

const noHeaders: MessageHeaders = Object.freeze(Object.create(null) as Record<string, string>)

/** The message that a handler gets: a copy, so that what it changes shows up neither on the next attempt nor in a dead letter. */
export function receivedMessage(wire: WireMessage, data: unknown, source: string): Message {
  const type = receivedType(wire, source)
  return {
    id: wire.id,
    type,
    data: isPartOf(data, wire.body) ? copyOfBytes(data) : data,
    time: wire.time,
    headers: copyOf(wire.headers),
    key: wire.key,
    routingKey: wire.routingKey === '' ? type : wire.routingKey,
    correlationId: wire.correlationId,
    causationId: wire.causationId,
    replyTo: wire.replyTo,
    expiresAt: wire.expiresAt,
    priority: wire.priority,
    replays: wire.replays,
  }
}

/** A foreign message without a type is of the type that it was routed by, or else of its source's name. */
export function receivedType(wire: WireMessage, source: string): string {
  if (wire.type !== '') return wire.type
  return wire.routingKey === '' ? source : wire.routingKey
}

function isPartOf(data: unknown, body: Uint8Array): data is Uint8Array {
  return data instanceof Uint8Array && data.buffer === body.buffer
}

/** In memory that many share: small copies each in their own would be most of what a message costs. */
function copyOfBytes(bytes: Uint8Array): Uint8Array {
  const { buffer, byteOffset, length } = Buffer.from(bytes)
  return new Uint8Array(buffer, byteOffset, length)
}

function copyOf(headers: MessageHeaders): MessageHeaders {
  let copy: Record<string, string> | undefined
  for (const name in headers) {
    copy ??= Object.create(null) as Record<string, string>
    copy[name] = headers[name] as string
  }
  return copy ?? noHeaders
}
