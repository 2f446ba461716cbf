import { isUtf8 } from 'node:buffer'
import { noBody, readEnvelope } from '@posthorn/transport/driver'
import { cloudEvent, contentTypeHeader, ownHeaders, usersHeaders } from './headers.ts'
import type { KafkaRecord } from './protocol/record.ts'

/** What reading a record needs beside it. */
export interface ReadingContext {
  readonly topic: string
  readonly partition: number
  /** Epoch milliseconds. */
  readonly now: number
}

export type WireReading = ReturnType<typeof readEnvelope>

/** The last time that was read. */
let known = { text: '', time: 0 }

/** A record as a message, whoever wrote it. Never throws. */
export function fromWire(record: KafkaRecord, { topic, partition, now }: ReadingContext): WireReading {
  const { headers, key, value, offset, timestamp } = record
  const isEvent = headers[cloudEvent.version] !== undefined
  return readEnvelope({
    headers: usersHeaders(headers, isEvent),
    native: {
      id: isEvent ? headers[cloudEvent.id] : undefined,
      type: isEvent ? headers[cloudEvent.type] : undefined,
      time:
        (isEvent ? timeOf(headers[cloudEvent.time]) : undefined) ?? (timestamp < 0 ? undefined : timestamp),
      contentType: isEvent ? headers[contentTypeHeader] : undefined,
      // That of a dead letter is its place.
      key: headers[ownHeaders.entry] === undefined ? textOfKey(key) : undefined,
    },
    body: value === undefined || headers[ownHeaders.noValue] !== undefined ? noBody : value,
    position: `${topic}/${partition}/${offset}`,
    now,
    createId: () => `${topic}/${partition}/${offset}`,
  })
}

/** Keys that are not text are compared, and shown, as hexadecimal digits. */
function textOfKey(key: Buffer | undefined): string | undefined {
  const text = key?.toString()
  return text?.includes('\ufffd') === true && !isUtf8(key!) ? `0x${key!.toString('hex')}` : text
}

function timeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (text !== known.text) known = { text, time: Date.parse(text) }
  return Number.isNaN(known.time) ? undefined : known.time
}
