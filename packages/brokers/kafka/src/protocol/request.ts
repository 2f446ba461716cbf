import { groupBy } from '../group-by.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** One request of Kafka's protocol and how to read its answer. Versions are fixed: 3.9 to 4.x have all of them. */
export interface KafkaRequest<Response> {
  readonly api: number
  readonly version: number
  /** For people. */
  readonly name: string
  write(writer: Writer): void
  read(reader: Reader): Response
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** Writes entries of partitions as most requests have them: an array of topics, each with an array of partitions. */
export function writeByTopic<Entry extends TopicPartition>(
  writer: Writer,
  entries: readonly Entry[],
  write: (entry: Entry) => void,
): void {
  const topics = groupBy(entries, ({ topic }) => topic)
  writer.int32(topics.size)
  for (const [topic, partitions] of topics) writer.string(topic).array(partitions, write)
}

/** The other way round. */
export function readByTopic<Entry>(reader: Reader, read: (topic: string) => Entry): Entry[] {
  return reader
    .array(() => {
      const topic = reader.string()
      return reader.array(() => read(topic))
    })
    .flat()
}
