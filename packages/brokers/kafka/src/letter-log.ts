import { ownHeaders } from './headers.ts'
import { endsOf, readFrom } from './read-topic.ts'
import type { Cluster } from './cluster.ts'
import type { KafkaRecord } from './protocol/record.ts'

/** Where an entry of a dead-letter topic is, and that it is the last of its key. */
export interface LiveLetter {
  readonly entryId: string
  readonly offset: number
}

/**
 * The entries that are there, oldest first: a later record of a key, or a tombstone, replaces an earlier one, whether or not
 * the broker has cleaned up. Reads everything; keeps keys and offsets only.
 */
export async function liveLetters(
  cluster: Cluster,
  topic: string,
): Promise<{ readonly letters: readonly LiveLetter[]; readonly end: number }> {
  const { start, end } = await endsOf(cluster, topic, 0)
  const live = new Map<string, number>()
  for (let offset = start; offset < end;) {
    const { records, nextOffset } = await readFrom(cluster, topic, 0, offset)
    for (const record of records) {
      if (record.offset >= end) break
      const entryId = entryIdOf(record, topic)
      // The place of the newer one counts.
      live.delete(entryId)
      if (record.value !== undefined) live.set(entryId, record.offset)
    }
    if (nextOffset === offset) break
    offset = nextOffset
  }
  return { letters: [...live].map(([entryId, offset]) => ({ entryId, offset })), end }
}

/** What others put there without a key has its place as its id. */
export function entryIdOf({ headers, key, offset }: KafkaRecord, topic: string): string {
  return headers[ownHeaders.entry] ?? key?.toString() ?? `${topic}/0/${offset}`
}
