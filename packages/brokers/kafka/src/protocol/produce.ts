import { readByTopic, writeByTopic, type KafkaRequest, type TopicPartition } from './request.ts'
import { writeBatch } from './write-batch.ts'
import type { NewRecord } from './record.ts'

export interface ProduceBatch extends TopicPartition {
  readonly records: readonly NewRecord[]
}

export interface ProduceResult extends TopicPartition {
  readonly error: number
  /** Of the first record. */
  readonly offset: number
}

/** Appends batches, one for a partition, and answers when all replicas in sync have them. */
export function produce(batches: readonly ProduceBatch[], timeoutMs: number): KafkaRequest<ProduceResult[]> {
  return {
    api: 0,
    version: 7,
    name: 'Produce',
    write(writer) {
      writer.nullableString(undefined).int16(-1).int32(timeoutMs)
      writeByTopic(writer, batches, ({ partition, records }) => {
        writer.int32(partition)
        writeBatch(writer, records)
      })
    },
    read(reader) {
      return readByTopic(reader, (topic) => {
        const partition = reader.int32()
        const error = reader.int16()
        const offset = reader.int64()
        // Times of the log, and its start.
        reader.skip(16)
        return { topic, partition, error, offset }
      })
    },
  }
}
