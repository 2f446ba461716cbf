import type { DeadLetter } from '../contract/dead-letter-tools.ts'
import type { DeadLetterEntry } from '../contract/driver.ts'

/** A dead letter for people: copies, so that whoever looks at them does not change what is kept. */
export function shownLetter({ message, record, entryId }: DeadLetterEntry): DeadLetter {
  return {
    ...record,
    entryId,
    id: message.id,
    type: message.type,
    time: message.time,
    body: Uint8Array.from(message.body),
    contentType: message.contentType,
    headers: Object.assign(Object.create(null) as Record<string, string>, message.headers),
    key: message.key,
    routingKey: message.routingKey,
    correlationId: message.correlationId,
    causationId: message.causationId,
    expiresAt: message.expiresAt,
    replays: message.replays,
  }
}
