import { groupBy } from './group-by.ts'
import { logOf, readMetadata } from './commit-metadata.ts'
import { isPassing } from './cluster.ts'
import { throwOnError } from './errors.ts'
import { committedOffsets } from './committed-offsets.ts'
import { listOffsets, moments, type CommittedOffset } from './protocol/offsets.ts'
import { Reading } from './reading.ts'
import type { Cluster } from './cluster.ts'
import type { Unit } from './group-protocol.ts'
import type { TopicPartition } from './protocol/request.ts'

/** Records were gone before they were read; `missing` is how many, where that is known. */
export type TellGap = (where: TopicPartition, missing: number | undefined) => void

/**
 * Finds where the group is in the partitions of units. A partition without a position is read from its oldest record: it was
 * added later. So is one whose position is older than that, or in another log of the same name, and, where it may be in
 * another one, behind the end; in the same log it goes on at the end then. There is a gap each time. Nothing when it is not
 * wanted any more. Rejects where trying again is of no use.
 */
export async function openReadings(
  cluster: Cluster,
  group: string,
  units: readonly Unit[],
  isWanted: () => boolean,
  tellGap: TellGap,
): Promise<ReadonlyMap<Unit, readonly Reading[]> | undefined> {
  const partitions = units.flatMap((unit) => unit.partitions)
  while (isWanted()) {
    try {
      const [positions, starts, ends] = await Promise.all([
        committedOffsets(cluster, group, partitions),
        offsetsAt(cluster, partitions, moments.start),
        offsetsAt(cluster, partitions, moments.end),
      ])
      const byPlace = groupBy(positions, keyOf)
      const open = (one: TopicPartition): Reading => {
        const [start, end] = [starts.get(keyOf(one))!, ends.get(keyOf(one))!]
        return openReading(cluster, one, byPlace.get(keyOf(one))?.[0], start, end, tellGap)
      }
      if (isWanted()) return new Map(units.map((unit) => [unit, unit.partitions.map(open)]))
    } catch (error) {
      if (!isPassing(error)) throw error
      await cluster.pause()
    }
  }
  return undefined
}

function openReading(
  cluster: Cluster,
  one: TopicPartition,
  committed: CommittedOffset | undefined,
  start: number,
  end: number,
  tellGap: TellGap,
): Reading {
  const log = logOf(cluster.topicId(one.topic))
  if (committed === undefined || committed.offset < 0) return new Reading(one, start, '', log)
  const { offset, metadata } = committed
  const known = readMetadata(offset, metadata).log
  const isOther = known !== undefined && log !== undefined && known !== log
  if (!isOther && offset >= start && offset <= end) return new Reading(one, offset, metadata, log)
  if (isOther || offset > end) {
    tellGap(one, undefined)
    // What is left of the same log was before the position.
    const isSame = known !== undefined && known === log
    return new Reading(one, isSame ? end : start, '', log)
  }
  tellGap(one, start - offset)
  // What is done above the position is done still.
  const reading = new Reading(one, offset, metadata, log)
  reading.line.skipTo(start)
  return reading
}

async function offsetsAt(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  time: number,
): Promise<ReadonlyMap<string, number>> {
  const found = await cluster.askLeaders(
    partitions.map(({ topic, partition }) => ({ topic, partition, time })),
    (wanted) => listOffsets(wanted, true),
  )
  for (const { error, topic } of found) throwOnError(error, `ListOffsets of ${topic}`)
  return new Map(found.map((one) => [keyOf(one), one.offset]))
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic} ${partition}`
}
