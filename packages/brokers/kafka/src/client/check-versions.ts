import { PosthornError } from '@posthorn/transport/driver'
import { fetch } from '../protocol/fetch.ts'
import { findCoordinator, heartbeat, joinGroup, leaveGroup, syncGroup } from '../protocol/group.ts'
import { commitOffsets, deleteRecords, fetchOffsets, listOffsets } from '../protocol/offsets.ts'
import { produce } from '../protocol/produce.ts'
import { createTopics, deleteTopics, describeTopics, metadata } from '../protocol/topics.ts'
import type { KafkaRequest } from '../protocol/request.ts'

/** From the lowest to the highest version of each API that a node has, by its number. */
export type VersionRanges = ReadonlyMap<number, readonly [number, number]>

/** Every node answers this version, whatever else it has. */
export const apiVersions: KafkaRequest<VersionRanges> = {
  api: 18,
  version: 0,
  name: 'ApiVersions',
  write: () => undefined,
  read(reader) {
    reader.skip(2)
    return new Map(reader.array(() => [reader.int16(), [reader.int16(), reader.int16()]] as const))
  },
}

const member = { generation: 0, memberId: '' }
const join = { ...member, group: '', sessionTimeoutMs: 0, rebalanceTimeoutMs: 0 }

/** One of each kind that is asked, for its version. */
const asked: readonly KafkaRequest<unknown>[] = [
  produce([], 0),
  fetch([], { maxWaitMs: 0, maxBytes: 0 }),
  listOffsets([]),
  metadata([]),
  commitOffsets('', member, []),
  fetchOffsets('', []),
  findCoordinator(''),
  joinGroup({ ...join, protocol: '', metadata: Buffer.alloc(0) }),
  heartbeat('', member),
  leaveGroup('', ''),
  syncGroup('', member, []),
  createTopics([], undefined, 0),
  deleteTopics([], 0),
  deleteRecords([], 0),
  describeTopics([], []),
]

/** Throws, naming what is missing, where a node does not have the versions that are asked here. */
export function checkVersions(ranges: VersionRanges): void {
  const missing = asked.flatMap(({ api, version, name }) => {
    const range = ranges.get(api)
    if (range === undefined) return [`${name} at all`]
    const [from, to] = range
    return version < from || version > to ? [`${name} ${version} (it has ${from} to ${to})`] : []
  })
  if (missing.length === 0) return
  const text = `This broker does not have ${missing.join(', ')}. Apache Kafka 3.9 to 4.3 have; use one of those.`
  throw new PosthornError('POSTHORN_UNSUPPORTED', text, { phase: 'connect' })
}
