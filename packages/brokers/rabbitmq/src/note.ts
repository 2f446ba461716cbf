import type { WireMessage } from '@posthorn/transport/driver'

/** A message that only its headers matter of. */
export function note(id: string, time: number): WireMessage {
  return {
    id,
    type: 'posthorn.note',
    time,
    body: new Uint8Array(),
    contentType: 'application/octet-stream',
    headers: {},
    key: undefined,
    routingKey: '',
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
  }
}
