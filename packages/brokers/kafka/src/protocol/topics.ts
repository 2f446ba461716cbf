import type { NodeAddress } from '../client/kafka-client.ts'
import type { KafkaRequest } from './request.ts'

export interface PartitionMetadata {
  readonly error: number
  readonly partition: number
  /** The node's id; -1 where there is none now. */
  readonly leader: number
}

export interface TopicMetadata {
  readonly error: number
  readonly topic: string
  readonly partitions: readonly PartitionMetadata[]
}

export interface ClusterMetadata {
  readonly nodes: ReadonlyMap<number, NodeAddress>
  readonly controller: number
  readonly topics: readonly TopicMetadata[]
}

/** Makes no topic. */
export function metadata(topics: readonly string[]): KafkaRequest<ClusterMetadata> {
  return {
    api: 3,
    version: 7,
    name: 'Metadata',
    write: (writer) => void writer.array(topics, (topic) => writer.string(topic)).boolean(false),
    read(reader) {
      reader.skip(4)
      const nodes = new Map(
        reader.array(() => {
          const id = reader.int32()
          const address = { host: reader.string(), port: reader.int32() }
          reader.nullableString()
          return [id, address] as const
        }),
      )
      reader.nullableString()
      const controller = reader.int32()
      const found = reader.array(() => {
        const error = reader.int16()
        const topic = reader.string()
        reader.skip(1)
        const partitions = reader.array(() => {
          const own = { error: reader.int16(), partition: reader.int32(), leader: reader.int32() }
          reader.skip(4)
          for (let list = 0; list < 3; list++) reader.array(() => reader.int32())
          return own
        })
        return { error, topic, partitions }
      })
      return { nodes, controller, topics: found }
    },
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
      return reader.array(() => ({
        topic: reader.string(),
        error: reader.int16(),
        message: reader.nullableString() ?? '',
      }))
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
