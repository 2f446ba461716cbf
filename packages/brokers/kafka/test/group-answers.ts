import { writeByTopic, type TopicPartition } from '../src/protocol/request.ts'
import type { Writer } from '../src/protocol/writer.ts'

/** What a coordinator answers. */

export function writeOffsets(
  writer: Writer,
  positions: readonly (TopicPartition & { readonly offset: number })[],
  error = 0,
): void {
  writer.int32(0)
  writeByTopic(writer, positions, ({ partition, offset }) => {
    writer.int32(partition).int64(offset).int32(-1).string('').int16(0)
  })
  writer.int16(error)
}

export function writeJoined(writer: Writer, error: number, memberId: string): void {
  writer.int32(0).int16(error).int32(1).string('posthorn').string(memberId).string(memberId)
  const members = error === 0 ? [memberId] : []
  writer.array(members, (id) => writer.string(id).nullableString(undefined).sized(Buffer.alloc(0)))
}

export function writeSynced(writer: Writer, assignment: Buffer): void {
  writer.int32(0).int16(0).sized(assignment)
}

/** To a heartbeat, or to whoever leaves. */
export function writeError(writer: Writer, error: number): void {
  writer.int32(0).int16(error)
}
