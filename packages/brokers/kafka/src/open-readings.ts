import { throwOnError } from './errors.ts'
import { committedOffsets } from './committed-offsets.ts'
import { listOffsets, moments } from './protocol/offsets.ts'
import { Reading } from './reading.ts'
import type { Cluster } from './cluster.ts'
import type { Unit } from './group-protocol.ts'
import type { TopicPartition } from './protocol/request.ts'

/**
 * Finds where the group is in the partitions of units. A partition without a position is read from its oldest record: it was
 * added later. Nothing when it is not wanted any more.
 */
export async function openReadings(
  cluster: Cluster,
  group: string,
  units: readonly Unit[],
  isWanted: () => boolean,
): Promise<ReadonlyMap<Unit, readonly Reading[]> | undefined> {
  const partitions = units.flatMap((unit) => unit.partitions)
  while (isWanted()) {
    try {
      const positions = await ask(cluster, group, partitions)
      return new Map(
        units.map((unit) => [
          unit,
          unit.partitions.map((one) => {
            const { offset, metadata } = positions.get(keyOf(one))!
            return new Reading(one, offset, metadata)
          }),
        ]),
      )
    } catch {
      await cluster.pause()
    }
  }
  return undefined
}

async function ask(
  cluster: Cluster,
  group: string,
  partitions: readonly TopicPartition[],
): Promise<ReadonlyMap<string, { readonly offset: number; readonly metadata: string }>> {
  const positions = new Map<string, { readonly offset: number; readonly metadata: string }>()
  for (const one of await committedOffsets(cluster, group, partitions)) {
    if (one.offset >= 0) positions.set(keyOf(one), one)
  }
  const open = partitions.filter((one) => !positions.has(keyOf(one)))
  if (open.length === 0) return positions
  const starts = await cluster.askLeaders(
    open.map(({ topic, partition }) => ({ topic, partition, time: moments.start })),
    listOffsets,
  )
  for (const one of starts) {
    throwOnError(one.error, `ListOffsets of ${one.topic}`)
    positions.set(keyOf(one), { offset: one.offset, metadata: '' })
  }
  return positions
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic} ${partition}`
}
