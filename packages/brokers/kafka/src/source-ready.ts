import { groupBy } from './group-by.ts'
import { listOffsets, moments } from './protocol/offsets.ts'
import type { Cluster } from './cluster.ts'
import type { Slot } from './slot.ts'

const timeoutMs = 5_000

/** How many messages slots could hand out, as the logs are now; nothing where nobody answers. */
export async function countReady(cluster: Cluster, slots: readonly Slot[]): Promise<number | undefined> {
  const readings = slots.flatMap((slot) => slot.readings)
  const wanted = readings.map(({ line: { topic, partition } }) => ({ topic, partition, time: moments.end }))
  // Asked, since the last fetch may be what hangs.
  const ends = await cluster
    .askLeaders(wanted, (entries) => listOffsets(entries), timeoutMs)
    .catch(() => undefined)
  if (ends === undefined) return undefined
  const byPlace = groupBy(ends, ({ topic, partition }) => `${topic} ${partition}`)
  const returning = slots.reduce((sum, slot) => sum + slot.returning, 0)
  return readings.reduce((sum, { line, position }) => {
    const end = byPlace.get(`${line.topic} ${line.partition}`)?.[0]?.offset ?? 0
    return sum + Math.max(0, end - position.next)
  }, returning)
}
