import { letterHeaders } from './letter-record.ts'
import { topologyMissing } from './errors.ts'
import { toWire } from './to-wire.ts'
import type { ConsumerParts } from './consumer-parts.ts'
import type { Token } from './slot.ts'
import type { PosthornError, PublishOutcome, SettleItem } from '@posthorn/transport/driver'

/** Writes dead letters: each under the place of its original, so that one that is written twice replaces the first. */
export class Letters {
  private readonly parts: ConsumerParts
  private readonly topic: string
  private readonly source: string

  constructor(parts: ConsumerParts, topic: string, source: string) {
    this.parts = parts
    this.topic = topic
    this.source = source
  }

  write(items: readonly SettleItem[], deadline: number): Promise<readonly PublishOutcome[]> {
    const now = this.parts.host.clock.now()
    const records = items.map(({ delivery, message, record }) => {
      const { entry, reading } = delivery.token as Token
      const entryId = `${reading.line.topic}/${reading.line.partition}/${entry.offset}`
      const wire = toWire(message, this.source, now, letterHeaders(entryId, record))
      return { ...wire, key: entryId, headers: keepKey(wire.headers, message.key) }
    })
    const parcel = { topic: this.topic, partition: 0, records, indexes: records.map((_, index) => index) }
    const missing = (): PosthornError => topologyMissing(`The dead-letter topic "${this.topic}"`)
    return this.parts.publisher.publish([parcel], records.length, deadline, missing)
  }
}

/** The record's own key is that of its entry. */
function keepKey(
  headers: Readonly<Record<string, string>>,
  key: string | undefined,
): Readonly<Record<string, string>> {
  return key === undefined ? headers : { ...headers, 'posthorn-key': key }
}
