import { readByTopic, writeByTopic, type KafkaRequest, type TopicPartition } from './request.ts'
import { writeBatch } from './write-batch.ts'
import type { Compression } from './compress.ts'
import type { NewRecord } from './record.ts'

export interface ProduceBatch extends TopicPartition {
  readonly records: readonly NewRecord[]
}

/** Why a record is refused, by its place in the batch. */
export interface RecordError {
  readonly index: number
  readonly message: string | undefined
}

export interface ProduceResult extends TopicPartition {
  readonly error: number
  /** Of the first record; -1 where nothing was appended. With an error there may be one: then it was appended all the same. */
  readonly offset: number
  /** The records to blame for the error, where the broker says so. */
  readonly recordErrors: readonly RecordError[]
  readonly message: string | undefined
}

/** Appends batches, one for a partition, and answers when all replicas in sync have them. */
export function produce(
  batches: readonly ProduceBatch[],
  timeoutMs: number,
  compression: Compression = 'none',
): KafkaRequest<ProduceResult[]> {
  return {
    api: 0,
    version: 8,
    name: 'Produce',
    write(writer) {
      writer.nullableString(undefined).int16(-1).int32(timeoutMs)
      writeByTopic(writer, batches, ({ partition, records }) => {
        writer.int32(partition)
        writeBatch(writer, records, compression)
      })
    },
    read(reader) {
      return readByTopic(reader, (topic) => {
        const partition = reader.int32()
        const error = reader.int16()
        const offset = reader.int64()
        // Times of the log, and its start.
        reader.skip(16)
        const recordErrors = reader.array(() => ({
          index: reader.int32(),
          message: reader.nullableString(),
        }))
        return { topic, partition, error, offset, recordErrors, message: reader.nullableString() }
      })
    },
  }
}
