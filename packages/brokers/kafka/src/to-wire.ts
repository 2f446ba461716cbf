import { noBody, writeEnvelope } from '@posthorn/transport/driver'
import { cloudEvent, contentTypeHeader, keepUsersHeaders, sourceOf } from './headers.ts'
import type { NewRecord } from './protocol/record.ts'
import type { WireMessage } from '@posthorn/transport/driver'

type Field = Parameters<typeof writeEnvelope>[1] extends ReadonlySet<infer Name> ? Name : never

const nativeFields: ReadonlySet<Field> = new Set<Field>(['id', 'type', 'time', 'contentType', 'key'])

/** The last time that was written: those of a burst have the same. */
let known = { time: -1, text: '' }

/** A message as a record. `topic` is the one that it was sent to first; `extra` are headers of the driver's own. */
export function toWire(
  message: WireMessage,
  topic: string,
  now: number,
  extra?: Readonly<Record<string, string>>,
): NewRecord {
  const { id, type, time, contentType, key, body } = message
  const headers = writeEnvelope(message, nativeFields)
  keepUsersHeaders(headers, message.headers)
  headers[cloudEvent.version] = '1.0'
  headers[cloudEvent.id] = id
  headers[cloudEvent.source] ??= sourceOf(topic)
  if (type !== '') headers[cloudEvent.type] = type
  headers[cloudEvent.time] = textOf(time)
  if (contentType !== '') headers[contentTypeHeader] = contentType
  if (extra !== undefined) for (const name in extra) headers[name] = extra[name]!
  // Brokers refuse what comes from the future.
  return { timestamp: Math.min(time, now), key, value: body === noBody ? undefined : body, headers }
}

function textOf(time: number): string {
  if (time !== known.time) known = { time, text: new Date(time).toISOString() }
  return known.text
}
