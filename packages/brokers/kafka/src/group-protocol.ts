import { Reader } from './protocol/reader.ts'
import { groupBy } from './group-by.ts'
import { Writer } from './protocol/writer.ts'
import type { TopicPartition } from './protocol/request.ts'

// As the consumers of Kafka have it, so that its tools can show the group; what is Posthorn's own is in the user data.

/** What a member tells the leader. */
export interface Subscription {
  readonly topics: readonly string[]
  /** Units that it has now. */
  readonly owned: readonly string[]
}

/** What of a source one member has: its name, and the partitions that belong together. */
export interface Unit {
  readonly name: string
  readonly partitions: readonly TopicPartition[]
}

export function writeSubscription({ topics, owned }: Subscription): Buffer {
  const writer = new Writer()
  writer.int16(0).array(topics, (topic) => writer.string(topic))
  writer.sized(Buffer.from(JSON.stringify({ owned })))
  return writer.bytes()
}

/** Never throws: what others write is nobody's. */
export function readSubscription(bytes: Buffer): Subscription {
  try {
    const reader = new Reader(bytes)
    reader.skip(2)
    const topics = reader.array(() => reader.string())
    const { owned } = JSON.parse(reader.sized().toString()) as { readonly owned?: unknown }
    return { topics, owned: isNames(owned) ? owned : [] }
  } catch {
    return { topics: [], owned: [] }
  }
}

export function writeAssignment(units: readonly Unit[]): Buffer {
  const writer = new Writer()
  const topics = groupBy(
    units.flatMap(({ partitions }) => partitions),
    ({ topic }) => topic,
  )
  writer.int16(0).array([...topics], ([topic, partitions]) => {
    writer.string(topic).array(partitions, ({ partition }) => writer.int32(partition))
  })
  writer.sized(Buffer.from(JSON.stringify({ units: units.map(({ name }) => name) })))
  return writer.bytes()
}

/** The names of the units. Throws where it is none of ours. */
export function readAssignment(bytes: Buffer): readonly string[] {
  if (bytes.length === 0) return []
  const reader = new Reader(bytes)
  reader.skip(2)
  reader.array(() => {
    reader.string()
    return reader.array(() => reader.int32())
  })
  const { units } = JSON.parse(reader.sized().toString()) as { readonly units?: unknown }
  if (!isNames(units)) throw new Error('the leader of the group speaks another language')
  return units
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}
