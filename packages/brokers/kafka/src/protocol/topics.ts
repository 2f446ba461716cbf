import { Writer } from './writer.ts'
import type { NodeAddress } from '../client/kafka-client.ts'
import type { KafkaRequest } from './request.ts'
import type { Reader } from './reader.ts'

export interface PartitionMetadata {
  readonly error: number
  readonly partition: number
  /** The node's id; -1 where there is none now. */
  readonly leader: number
}

export interface TopicMetadata {
  readonly error: number
  readonly topic: string
  /** Of this topic, and of none that has its name later. */
  readonly id: string
  readonly partitions: readonly PartitionMetadata[]
}

export interface ClusterMetadata {
  readonly nodes: ReadonlyMap<number, NodeAddress>
  readonly controller: number
  readonly topics: readonly TopicMetadata[]
}

/** Makes no topic. The only request that takes a newer form, with tagged fields: an older one does not say which topic it is. */
export function metadata(topics: readonly string[] | 'all'): KafkaRequest<ClusterMetadata> {
  return {
    api: 3,
    version: 12,
    name: 'Metadata',
    write(writer) {
      writer.raw(noTags).unsigned(topics === 'all' ? 0 : topics.length + 1)
      for (const topic of topics === 'all' ? [] : topics) writer.raw(noId).raw(compact(topic)).raw(noTags)
      writer.boolean(false).boolean(false).raw(noTags)
    },
    read(reader) {
      skipTags(reader)
      reader.skip(4)
      const nodes = new Map(
        compactArray(reader, () => {
          const id = reader.int32()
          const address = { host: compactText(reader), port: reader.int32() }
          compactText(reader)
          skipTags(reader)
          return [id, address] as const
        }),
      )
      compactText(reader)
      const controller = reader.int32()
      const found = compactArray(reader, (): TopicMetadata => {
        const error = reader.int16()
        const topic = compactText(reader)
        const id = reader.raw(16).toString('base64url')
        reader.skip(1)
        const partitions = compactArray(reader, () => {
          const own = { error: reader.int16(), partition: reader.int32(), leader: reader.int32() }
          reader.skip(4)
          for (let list = 0; list < 3; list++) compactArray(reader, () => reader.int32())
          skipTags(reader)
          return own
        })
        reader.skip(4)
        skipTags(reader)
        return { error, topic, id, partitions }
      })
      return { nodes, controller, topics: found }
    },
  }
}

const noTags = Buffer.alloc(1)
const noId = Buffer.alloc(16)

function compact(text: string): Uint8Array {
  const bytes = Buffer.from(text)
  return new Writer()
    .unsigned(bytes.length + 1)
    .raw(bytes)
    .bytes()
}

/** Empty where it is null. */
function compactText(reader: Reader): string {
  return reader.text(Math.max(0, reader.unsigned() - 1))
}

function compactArray<Item>(reader: Reader, read: () => Item): Item[] {
  return Array.from({ length: Math.max(0, reader.unsigned() - 1) }, read)
}

function skipTags(reader: Reader): void {
  for (let count = reader.unsigned(); count > 0; count--) {
    reader.unsigned()
    reader.skip(reader.unsigned())
  }
}

export interface NewTopic {
  readonly topic: string
  readonly partitions: number
  readonly config: Readonly<Record<string, string>>
}

export interface TopicResult {
  readonly topic: string
  readonly error: number
  readonly message: string
}

/** With the broker's default of replicas, unless `replicas` says otherwise. */
export function createTopics(
  topics: readonly NewTopic[],
  replicas: number | undefined,
  timeoutMs: number,
): KafkaRequest<TopicResult[]> {
  return {
    api: 19,
    version: 4,
    name: 'CreateTopics',
    write(writer) {
      writer.array(topics, ({ topic, partitions, config }) => {
        writer
          .string(topic)
          .int32(partitions)
          .int16(replicas ?? -1)
          .int32(0)
        writer.array(Object.entries(config), ([name, value]) => writer.string(name).string(value))
      })
      writer.int32(timeoutMs).boolean(false)
    },
    read(reader) {
      reader.skip(4)
      return readTopicResults(reader)
    },
  }
}

export function deleteTopics(
  topics: readonly string[],
  timeoutMs: number,
): KafkaRequest<{ readonly topic: string; readonly error: number }[]> {
  return {
    api: 20,
    version: 3,
    name: 'DeleteTopics',
    write: (writer) => void writer.array(topics, (topic) => writer.string(topic)).int32(timeoutMs),
    read(reader) {
      reader.skip(4)
      return reader.array(() => ({ topic: reader.string(), error: reader.int16() }))
    },
  }
}

/** More partitions for topics, so many in all. */
export function addPartitions(
  topics: readonly Pick<NewTopic, 'topic' | 'partitions'>[],
  timeoutMs: number,
): KafkaRequest<TopicResult[]> {
  return {
    api: 37,
    version: 1,
    name: 'CreatePartitions',
    write(writer) {
      writer.array(topics, ({ topic, partitions }) => writer.string(topic).int32(partitions).int32(-1))
      writer.int32(timeoutMs).boolean(false)
    },
    read(reader) {
      reader.skip(4)
      return readTopicResults(reader)
    },
  }
}

function readTopicResults(reader: Reader): TopicResult[] {
  return reader.array(() => ({
    topic: reader.string(),
    error: reader.int16(),
    message: reader.nullableString() ?? '',
  }))
}

export interface TopicConfig {
  readonly topic: string
  readonly error: number
  readonly config: ReadonlyMap<string, string>
}

export function describeTopics(
  topics: readonly string[],
  names: readonly string[],
): KafkaRequest<TopicConfig[]> {
  return {
    api: 32,
    version: 1,
    name: 'DescribeConfigs',
    write(writer) {
      writer.array(topics, (topic) => {
        writer
          .int8(2)
          .string(topic)
          .array(names, (name) => writer.string(name))
      })
      writer.boolean(false)
    },
    read(reader) {
      reader.skip(4)
      return reader.array(() => {
        const error = reader.int16()
        reader.nullableString()
        reader.skip(1)
        const topic = reader.string()
        const config = new Map(
          reader.array(() => {
            const entry = [reader.string(), reader.nullableString() ?? ''] as const
            reader.skip(3)
            reader.array(() => {
              reader.string()
              reader.nullableString()
              reader.skip(1)
            })
            return entry
          }),
        )
        return { topic, error, config }
      })
    },
  }
}
