import type { WireMessage } from '../contract/wire-message.ts'

/** The fields of a message that a broker may have native properties for. */
export type EnvelopeField = Exclude<keyof WireMessage, 'body' | 'headers'>

/** The header that each field travels in where the broker has no native property for it. */
export const headerNames: Readonly<Record<EnvelopeField, string>> = {
  id: 'posthorn-id',
  idMadeUp: 'posthorn-id-made-up',
  type: 'posthorn-type',
  time: 'posthorn-time',
  contentType: 'posthorn-content-type',
  key: 'posthorn-key',
  routingKey: 'posthorn-routing-key',
  correlationId: 'posthorn-correlation-id',
  causationId: 'posthorn-causation-id',
  replyTo: 'posthorn-reply-to',
  expiresAt: 'posthorn-expires-at',
  priority: 'posthorn-priority',
  notBefore: 'posthorn-not-before',
  attempt: 'posthorn-attempt',
  releases: 'posthorn-releases',
  trials: 'posthorn-trials',
  replays: 'posthorn-replays',
  firstFailedAt: 'posthorn-first-failed-at',
  lastFailedAt: 'posthorn-last-failed-at',
  lastError: 'posthorn-last-error',
}

/** Says which version of the envelope the headers are; without it they are of this one. */
export const versionHeader = 'posthorn-version'
export const envelopeVersion = '1'

/** Without control characters, which some brokers refuse in headers, and at most 256 characters. */
export function cleanText(text: string): string {
  return text
    .replace(/\p{Cc}/gu, ' ')
    .slice(0, 256)
    .replace(/\p{Surrogate}/gu, '\ufffd')
}
