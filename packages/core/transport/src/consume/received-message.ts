import type { Message } from '../contract/message.ts'
import type { MessageHeaders, WireMessage } from '../contract/wire-message.ts'

const noHeaders: MessageHeaders = Object.freeze(Object.create(null) as Record<string, string>)

/** The message that a handler gets: a copy, so that what it changes shows up neither on the next attempt nor in a dead letter. */
export function receivedMessage(wire: WireMessage, data: unknown, defaultType: string): Message {
  const type = wire.type === '' ? defaultType : wire.type
  return {
    id: wire.id,
    type,
    data,
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

function copyOf(headers: MessageHeaders): MessageHeaders {
  let copy: Record<string, string> | undefined
  for (const name in headers) {
    copy ??= Object.create(null) as Record<string, string>
    copy[name] = headers[name] as string
  }
  return copy ?? noHeaders
}
