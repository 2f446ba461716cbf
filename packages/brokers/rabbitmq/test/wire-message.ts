import type { WireMessage } from '@posthorn/transport/driver'

/** A message with only what every message has, and these fields. */
export function wireMessage(fields: Partial<WireMessage> = {}): WireMessage {
  return {
    id: 'm',
    type: 'order.created',
    time: 0,
    body: new Uint8Array(),
    contentType: '',
    headers: {},
    key: undefined,
    routingKey: 'order.created',
    correlationId: undefined,
    causationId: undefined,
    replyTo: undefined,
    expiresAt: undefined,
    priority: undefined,
    notBefore: undefined,
    attempt: 1,
    releases: 0,
    trials: 0,
    idMadeUp: false,
    replays: 0,
    firstFailedAt: undefined,
    lastFailedAt: undefined,
    lastError: undefined,
    ...fields,
  }
}
