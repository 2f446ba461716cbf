import { readByTopic, writeByTopic, type KafkaRequest, type TopicPartition } from './request.ts'

/** Moments by which ListOffsets finds offsets; others are epoch milliseconds. */
export const moments = { end: -1, start: -2 } as const

export interface OffsetAt extends TopicPartition {
  /** Of `moments`, or epoch milliseconds. */
  readonly time: number
}

export interface FoundOffset extends TopicPartition {
  readonly error: number
  /** -1 where there is nothing as late. */
  readonly offset: number
}

/** The end is where the first transaction is that is open; with `all` where the log ends. */
export function listOffsets(wanted: readonly OffsetAt[], all = false): KafkaRequest<FoundOffset[]> {
  return {
    api: 2,
    version: 4,
    name: 'ListOffsets',
    write(writer) {
      writer.int32(-1).int8(all ? 0 : 1)
      writeByTopic(writer, wanted, ({ partition, time }) => writer.int32(partition).int32(-1).int64(time))
    },
    read(reader) {
      reader.skip(4)
      return readByTopic(reader, (topic) => {
        const partition = reader.int32()
        const error = reader.int16()
        reader.skip(8)
        const offset = reader.int64()
        reader.skip(4)
        return { topic, partition, error, offset }
      })
    },
  }
}

export interface Commit extends TopicPartition {
  readonly offset: number
  readonly metadata: string
}

/** Who commits; a group without members takes it from anybody. */
export interface Membership {
  readonly generation: number
  readonly memberId: string
}

export const nobody: Membership = { generation: -1, memberId: '' }

export function commitOffsets(
  group: string,
  { generation, memberId }: Membership,
  commits: readonly Commit[],
): KafkaRequest<(TopicPartition & { readonly error: number })[]> {
  return {
    api: 8,
    version: 7,
    name: 'OffsetCommit',
    write(writer) {
      writer.string(group).int32(generation).string(memberId).nullableString(undefined)
      writeByTopic(writer, commits, ({ partition, offset, metadata }) => {
        writer.int32(partition).int64(offset).int32(-1).string(metadata)
      })
    },
    read(reader) {
      reader.skip(4)
      return readByTopic(reader, (topic) => ({ topic, partition: reader.int32(), error: reader.int16() }))
    },
  }
}

export interface CommittedOffset extends TopicPartition {
  readonly error: number
  /** -1 where nothing is committed. */
  readonly offset: number
  readonly metadata: string
}

/** Of the given partitions, or of all that have one. */
export function fetchOffsets(
  group: string,
  partitions: readonly TopicPartition[] | 'all',
): KafkaRequest<{ readonly error: number; readonly offsets: readonly CommittedOffset[] }> {
  return {
    api: 9,
    version: 5,
    name: 'OffsetFetch',
    write(writer) {
      writer.string(group)
      if (partitions === 'all') writer.int32(-1)
      else writeByTopic(writer, partitions, ({ partition }) => writer.int32(partition))
    },
    read(reader) {
      reader.skip(4)
      const offsets = readByTopic(reader, (topic) => {
        const partition = reader.int32()
        const offset = reader.int64()
        reader.skip(4)
        const metadata = reader.nullableString() ?? ''
        return { topic, partition, offset, metadata, error: reader.int16() }
      })
      return { offsets, error: reader.int16() }
    },
  }
}

export function deleteRecords(
  upTo: readonly (TopicPartition & { readonly offset: number })[],
  timeoutMs: number,
): KafkaRequest<(TopicPartition & { readonly error: number })[]> {
  return {
    api: 21,
    version: 1,
    name: 'DeleteRecords',
    write(writer) {
      writeByTopic(writer, upTo, ({ partition, offset }) => writer.int32(partition).int64(offset))
      writer.int32(timeoutMs)
    },
    read(reader) {
      reader.skip(4)
      return readByTopic(reader, (topic) => {
        const partition = reader.int32()
        reader.skip(8)
        return { topic, partition, error: reader.int16() }
      })
    },
  }
}
