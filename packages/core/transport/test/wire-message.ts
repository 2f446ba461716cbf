import type { WireMessage } from '../src/contract/wire-message.ts'

/** A message as drivers move it, with a body of `bytes` bytes. */
export function wireMessage(id: string, bytes = 10, changed: Partial<WireMessage> = {}): WireMessage {
  return {
    id,
    idMadeUp: false,
    type: 'order.created',
    time: 0,
    body: new Uint8Array(bytes),
    contentType: 'application/json',
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
    replays: 0,
    firstFailedAt: undefined,
    lastFailedAt: undefined,
    lastError: undefined,
    ...changed,
  }
}
