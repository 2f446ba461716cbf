import { letterHeaders } from './letter-record.ts'
import { ownHeaders } from './headers.ts'
import { noBody } from '@posthorn/transport/driver'
import { topologyMissing } from './errors.ts'
import { toWire } from './to-wire.ts'
import type { ConsumerParts } from './consumer-parts.ts'
import type { SourceNames } from './names.ts'
import type { Token } from './slot.ts'
import type { PosthornError, PublishOutcome, SettleItem, WireMessage } from '@posthorn/transport/driver'

/** Writes dead letters: each under the place of its original, so that one that is written twice replaces the first. */
export class Letters {
  private readonly parts: ConsumerParts
  private readonly topic: string
  /** What they were sent to. */
  private readonly origin: string

  constructor(parts: ConsumerParts, { topic, deadLetters }: SourceNames) {
    this.parts = parts
    this.topic = deadLetters
    this.origin = topic
  }

  write(items: readonly SettleItem[], deadline: number): Promise<readonly PublishOutcome[]> {
    const now = this.parts.host.clock.now()
    const records = items.map(({ delivery, message, record }) => {
      const { entry, reading } = delivery.token as Token
      const entryId = reading.placeOf(entry.offset)
      const wire = toWire(message, this.origin, now, letterHeaders(entryId, record))
      return { ...wire, key: entryId, value: wire.value ?? noBody, headers: keepRest(wire.headers, message) }
    })
    const parcel = { topic: this.topic, partition: 0, records, indexes: records.map((_, index) => index) }
    const missing = (): PosthornError => topologyMissing(`The dead-letter topic "${this.topic}"`)
    return this.parts.publisher.publish([parcel], records.length, deadline, missing)
  }
}

/** The record's own key is that of its entry, and one without a value would be a tombstone. */
function keepRest(
  headers: Readonly<Record<string, string>>,
  { key, body }: WireMessage,
): Readonly<Record<string, string>> {
  return {
    ...headers,
    ...(key === undefined ? {} : { 'posthorn-key': key }),
    ...(body === noBody ? { [ownHeaders.noValue]: 'true' } : {}),
  }
}
