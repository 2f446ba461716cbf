import { ownHeaders } from './headers.ts'
import type { KafkaRecord } from './protocol/record.ts'
import type { DeadLetterRecord, WireMessage } from '@posthorn/transport/driver'

/** Characters of each text in it. */
const maxTextLength = 2_000

/** What a dead letter carries beside its message. */
export function letterHeaders(entryId: string, record: DeadLetterRecord | undefined): Record<string, string> {
  const headers = { [ownHeaders.entry]: entryId }
  return record === undefined
    ? headers
    : { ...headers, [ownHeaders.deadLetter]: JSON.stringify(shorten(record)) }
}

function shorten(record: DeadLetterRecord): DeadLetterRecord {
  const { error, reason, handler } = record
  const cut = (text: string): string => text.slice(0, maxTextLength)
  return {
    ...record,
    reason: cut(reason),
    handler: handler === undefined ? undefined : cut(handler),
    error:
      error === undefined
        ? undefined
        : { name: cut(error.name), message: cut(error.message), code: error.code },
  }
}

/** Reads what was written, or, for what another program put there, what can be known of it. */
export function readLetter(
  { headers, timestamp }: KafkaRecord,
  message: WireMessage,
  source: string,
): DeadLetterRecord {
  const found = parse(headers[ownHeaders.deadLetter])
  const { firstFailedAt, lastFailedAt } = message
  return {
    source: found?.source ?? source,
    group: found?.group,
    reason: found?.reason ?? 'unknown',
    error: found?.error == null ? undefined : { ...found.error, code: found.error.code },
    attempts: found?.attempts ?? message.attempt - 1,
    deliveries: found?.deliveries ?? 0,
    firstFailedAt: found === undefined ? firstFailedAt : found.firstFailedAt,
    lastFailedAt: found === undefined ? lastFailedAt : found.lastFailedAt,
    deadLetteredAt: found?.deadLetteredAt ?? timestamp,
    handler: found?.handler,
  }
}

function parse(text: string | undefined): Partial<DeadLetterRecord> | undefined {
  if (text === undefined) return undefined
  try {
    const record = JSON.parse(text) as Partial<DeadLetterRecord> | null
    return typeof record?.source === 'string' && typeof record.reason === 'string' ? record : undefined
  } catch {
    return undefined
  }
}
