import { deriveId } from '@posthorn/transport/driver'
import { headersOf } from './from-wire.ts'
import type { DeadLetterRecord, WireMessage } from '@posthorn/transport/driver'
import type { Message } from 'amqplib'

const recordHeader = 'posthorn-dead-letter'
const entryHeader = 'posthorn-entry'

/** Characters of each text in it, and bytes of it as a whole: it has to fit into a frame with the headers. */
const maxTextLength = 4_096
const maxRecordBytes = 8 * 1024

/** What a dead letter carries beside its message; `entryId` stays the same while it is kept. */
export function deadLetterHeaders(
  entryId: string,
  record: DeadLetterRecord | undefined,
): Record<string, string> {
  return record === undefined
    ? { [entryHeader]: entryId }
    : { [entryHeader]: entryId, [recordHeader]: encode(record) }
}

function encode(record: DeadLetterRecord): string {
  let text = ''
  // Escaped, a character may take six bytes.
  for (let length = maxTextLength; length >= 64; length /= 2) {
    text = JSON.stringify(shorten(record, length))
    if (Buffer.byteLength(text) <= maxRecordBytes) break
  }
  return text
}

function shorten(record: DeadLetterRecord, length: number): DeadLetterRecord {
  const { error, reason, handler } = record
  const cut = (text: string): string => text.slice(0, length)
  const { name = '', message = '', code } = error ?? {}
  return {
    ...record,
    reason: cut(reason),
    handler: handler === undefined ? undefined : cut(handler),
    error:
      error === undefined
        ? undefined
        : { name: cut(name), message: cut(message), code: code === undefined ? undefined : cut(code) },
  }
}

export interface ReadLetter {
  readonly entryId: string
  readonly record: DeadLetterRecord
}

/** Reads what was written, or, for what the broker or another program put there, what can be known of it. */
export function readLetter(raw: Message, message: WireMessage, source: string, now: number): ReadLetter {
  const headers = headersOf(raw)
  const entryId = headers[entryHeader]
  const record = readRecord(headers[recordHeader])
  if (record !== undefined)
    return { entryId: typeof entryId === 'string' ? entryId : deriveId(message.id, 'letter'), record }
  const death = readDeath(headers['x-death'])
  return {
    // The same as long as the message is.
    entryId: typeof entryId === 'string' ? entryId : deriveId(message.id, 'letter', death?.at ?? 0),
    record: {
      source,
      group: undefined,
      reason: death?.reason ?? 'unknown',
      error: undefined,
      attempts: message.attempt - 1,
      deliveries: death?.count ?? 0,
      firstFailedAt: message.firstFailedAt,
      lastFailedAt: message.lastFailedAt,
      deadLetteredAt: death?.at ?? now,
      handler: undefined,
    },
  }
}

function readRecord(value: unknown): DeadLetterRecord | undefined {
  if (typeof value !== 'string') return undefined
  try {
    const record = JSON.parse(value) as Partial<DeadLetterRecord> | null
    if (typeof record?.source !== 'string' || typeof record.reason !== 'string') return undefined
    const { source, group, reason, error, firstFailedAt, lastFailedAt, handler } = record
    return {
      source,
      group,
      reason,
      error: error === undefined ? undefined : { ...error, code: error.code },
      attempts: numberOr(record.attempts, 0),
      deliveries: numberOr(record.deliveries, 0),
      firstFailedAt,
      lastFailedAt,
      deadLetteredAt: numberOr(record.deadLetteredAt, 0),
      handler,
    }
  } catch {
    return undefined
  }
}

/** The last time that the broker itself dead-lettered it. */
function readDeath(
  value: unknown,
): { readonly reason: string; readonly count: number; readonly at: number | undefined } | undefined {
  const [last] = Array.isArray(value) ? (value as readonly unknown[]) : []
  if (typeof last !== 'object' || last === null) return undefined
  const { reason, count, time } = last as Readonly<Record<string, unknown>>
  // amqplib reads a timestamp as { '!': 'timestamp', value }.
  const seconds =
    typeof time === 'object' && time !== null ? (time as { readonly value?: unknown }).value : time
  return {
    reason: typeof reason === 'string' ? reason : 'unknown',
    count: numberOr(count, 0),
    at: typeof seconds === 'number' ? seconds * 1_000 : undefined,
  }
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}
