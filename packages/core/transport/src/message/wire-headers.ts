import { cleanText, headerNames } from './header-names.ts'
import type { EnvelopeField } from './header-names.ts'
import type { WireMessage } from '../contract/wire-message.ts'

export type { EnvelopeField } from './header-names.ts'
export { readEnvelope } from './read-envelope.ts'
export type { NativeFields } from './read-envelope.ts'

/**
 * The headers of a message on a broker that has native properties for the fields in `native`: the user's, and one for
 * each other field that is set. What a reader assumes anyway is left out: this version of the envelope, an id that was
 * given, attempt 1, no releases, no replays, a routing key that is the type. Without a prototype.
 */
export function writeEnvelope(
  message: WireMessage,
  native: ReadonlySet<EnvelopeField>,
): Record<string, string> {
  const headers: Record<string, string> = Object.create(null)
  for (const name in message.headers) headers[name] = message.headers[name]!
  const { type, routingKey, lastError } = message
  const put = (field: EnvelopeField, value: string | number | boolean | undefined): void => {
    if (value !== undefined && !native.has(field)) headers[headerNames[field]] = String(value)
  }
  put('id', message.id)
  put('idMadeUp', unless(message.idMadeUp, false))
  put('type', type)
  put('time', message.time)
  put('contentType', message.contentType)
  put('key', message.key)
  put('routingKey', unless(routingKey, type))
  put('correlationId', message.correlationId)
  put('causationId', message.causationId)
  put('replyTo', message.replyTo)
  put('expiresAt', message.expiresAt)
  put('priority', message.priority)
  put('notBefore', message.notBefore)
  put('attempt', unless(message.attempt, 1))
  put('releases', unless(message.releases, 0))
  put('trials', unless(message.trials, 0))
  put('replays', unless(message.replays, 0))
  put('firstFailedAt', message.firstFailedAt)
  put('lastFailedAt', message.lastFailedAt)
  put('lastError', lastError === undefined ? undefined : cleanText(lastError))
  return headers
}

function unless<Value>(value: Value, assumed: Value): Value | undefined {
  return value === assumed ? undefined : value
}
