import { Reader } from '../src/protocol/reader.ts'
import { Writer } from '../src/protocol/writer.ts'
import { writeByTopic } from '../src/protocol/request.ts'
import type { Request } from './kafka-sockets.ts'

export const apis = {
  produce: 0,
  fetch: 1,
  commit: 8,
  fetchOffsets: 9,
  findCoordinator: 10,
  join: 11,
  heartbeat: 12,
  leave: 13,
  sync: 14,
} as const

export interface ProducedBatch {
  readonly topic: string
  readonly records: number
  /** Of the batch in the request. */
  readonly position: number
}

/** What a Produce request writes. */
export function producedBatches({ body }: Request): readonly ProducedBatch[] {
  const reader = new Reader(body)
  reader.nullableString()
  reader.skip(6)
  return reader
    .array(() => {
      const topic = reader.string()
      return reader.array((): ProducedBatch => {
        reader.skip(4)
        const position = reader.position + 4
        const batch = reader.sized()
        return { topic, records: batch.readInt32BE(57), position }
      })
    })
    .flat()
}

/** The same request with what is refused as corrupt. */
export function corrupted({ bytes, body }: Request, batches: readonly ProducedBatch[]): Buffer {
  const changed = Buffer.from(bytes)
  const start = bytes.length - body.length
  for (const { position } of batches)
    changed.writeInt32BE(~body.readInt32BE(position + 17), start + position + 17)
  return changed
}

/** The topics that a Fetch reads. */
export function fetchedTopics({ body }: Request): readonly string[] {
  const reader = new Reader(body)
  reader.skip(25)
  return reader.array(() => {
    const topic = reader.string()
    reader.array(() => reader.skip(28))
    return topic
  })
}

export interface CommittedPosition {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly metadata: string
}

/** What an OffsetCommit commits. */
export function committedPositions({ body }: Request): readonly CommittedPosition[] {
  const reader = new Reader(body)
  reader.string()
  reader.skip(4)
  reader.string()
  reader.nullableString()
  return reader
    .array(() => {
      const topic = reader.string()
      return reader.array(() => {
        const partition = reader.int32()
        const offset = reader.int64()
        reader.skip(4)
        return { topic, partition, offset, metadata: reader.nullableString() ?? '' }
      })
    })
    .flat()
}

/** The answer to an OffsetCommit that refuses all of it. */
export function refusedCommit(positions: readonly CommittedPosition[], error: number): Buffer {
  const writer = new Writer()
  writer.int32(0)
  writeByTopic(writer, positions, ({ partition }) => writer.int32(partition).int16(error))
  return Buffer.from(writer.bytes())
}

/** The answer of a coordinator that does nothing of what is asked; `undefined` where it is no question to one. */
export function refusedByCoordinator(request: Request, error: number): Buffer | undefined {
  const writer = new Writer()
  switch (request.api) {
    case apis.commit:
      return refusedCommit(committedPositions(request), error)
    case apis.fetchOffsets:
      writer.int32(0).int32(0).int16(error)
      break
    case apis.findCoordinator:
      writer.int32(0).int16(error).nullableString(undefined).int32(-1).string('').int32(-1)
      break
    case apis.join:
      writer.int32(0).int16(error).int32(-1).nullableString(undefined).string('').string('').int32(0)
      break
    case apis.sync:
      writer.int32(0).int16(error).sized(Buffer.alloc(0))
      break
    case apis.heartbeat:
    case apis.leave:
      writer.int32(0).int16(error)
      break
    default:
      return undefined
  }
  return Buffer.from(writer.bytes())
}
