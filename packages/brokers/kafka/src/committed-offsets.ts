import { throwOnError } from './errors.ts'
import { fetchOffsets, type CommittedOffset } from './protocol/offsets.ts'
import type { Cluster } from './cluster.ts'
import type { TopicPartition } from './protocol/request.ts'

/** Where a group is, in partitions or in all where it has a position, asking again while errors pass. */
export function committedOffsets(
  cluster: Cluster,
  group: string,
  partitions: readonly TopicPartition[] | 'all',
): Promise<readonly CommittedOffset[]> {
  return cluster.persist(async () => {
    const { error, offsets } = await cluster.askCoordinator(group, 'main', fetchOffsets(group, partitions))
    throwOnError(error, `OffsetFetch of ${group}`)
    for (const one of offsets) throwOnError(one.error, `OffsetFetch of ${group}`)
    return offsets
  })
}
