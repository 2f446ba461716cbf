import { readByTopic, writeByTopic, type KafkaRequest, type TopicPartition } from './request.ts'
import type { AbortedTransaction } from './read-batches.ts'

export interface FetchPosition extends TopicPartition {
  readonly offset: number
  readonly maxBytes: number
}

export interface FetchResult extends TopicPartition {
  readonly error: number
  /** The oldest offset that is kept. */
  readonly logStart: number
  readonly aborted: readonly AbortedTransaction[]
  /** Batches as they are stored; the last one may be cut off. */
  readonly bytes: Buffer
}

/** Reads from positions on, waiting until there is something, `maxWaitMs` at most. */
export function fetch(
  positions: readonly FetchPosition[],
  { maxWaitMs, maxBytes }: { readonly maxWaitMs: number; readonly maxBytes: number },
): KafkaRequest<FetchResult[]> {
  return {
    api: 1,
    version: 11,
    name: 'Fetch',
    write(writer) {
      // A consumer, no session, and nothing of what may still be aborted.
      writer.int32(-1).int32(maxWaitMs).int32(1).int32(maxBytes).int8(1).int32(0).int32(-1)
      writeByTopic(writer, positions, (position) => {
        writer.int32(position.partition).int32(-1).int64(position.offset).int64(-1).int32(position.maxBytes)
      })
      writer.int32(0).string('')
    },
    read(reader) {
      reader.skip(4)
      const error = reader.int16()
      reader.skip(4)
      return readByTopic(reader, (topic): FetchResult => {
        const partition = reader.int32()
        const own = reader.int16()
        // The end of the log, and the last of it that is not in a transaction.
        reader.skip(16)
        const logStart = reader.int64()
        const aborted = reader.array(() => ({ producerId: reader.int64(), firstOffset: reader.int64() }))
        reader.skip(4)
        return {
          topic,
          partition,
          error: error === 0 ? own : error,
          logStart,
          aborted,
          bytes: reader.sized(),
        }
      })
    },
  }
}
