import { cleanText, envelopeVersion, headerNames, versionHeader } from './header-names.ts'
import type { EnvelopeField } from './header-names.ts'
import type { WireMessage } from '../contract/wire-message.ts'

export type { EnvelopeField } from './header-names.ts'
export { readEnvelope } from './read-envelope.ts'
export type { NativeFields } from './read-envelope.ts'

const fields = Object.keys(headerNames) as readonly EnvelopeField[]

/**
 * The headers of a message on a broker that has native properties for the fields in `native`: the user's, and one for
 * each other field that is set. Fields that say what a reader assumes anyway are left out: an id that was given, attempt 1, no releases, no
 * replays, a routing key that is the type. Without a prototype.
 */
export function writeEnvelope(
  message: WireMessage,
  native: ReadonlySet<EnvelopeField>,
): Record<string, string> {
  const headers: Record<string, string> = Object.create(null)
  for (const name in message.headers) headers[name] = message.headers[name]!
  headers[versionHeader] = envelopeVersion
  for (const field of fields) {
    if (native.has(field)) continue
    const value = message[field]
    if (value === undefined || isAssumed(message, field)) continue
    headers[headerNames[field]] = field === 'lastError' ? cleanText(String(value)) : String(value)
  }
  return headers
}

/** Whether a reader takes the field to be so when there is no header for it. */
function isAssumed(message: WireMessage, field: EnvelopeField): boolean {
  if (field === 'idMadeUp') return !message.idMadeUp
  if (field === 'attempt') return message.attempt === 1
  if (field === 'releases' || field === 'trials' || field === 'replays') return message[field] === 0
  return field === 'routingKey' && message.routingKey === message.type
}
