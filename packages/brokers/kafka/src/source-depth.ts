import { readMetadata } from './commit-metadata.ts'
import { stepCount } from './delay-steps.ts'
import { committedOffsets } from './committed-offsets.ts'
import { listOffsets, moments } from './protocol/offsets.ts'
import { liveLetters } from './letter-log.ts'
import type { Cluster } from './cluster.ts'
import type { SourceNames } from './names.ts'
import type { TopicPartition } from './protocol/request.ts'
import type { Depth } from '@posthorn/transport/driver'

/**
 * What the offsets say of a source, less the `held` of this process. What others hold counts as ready, and so does what
 * patterns will filter.
 */
export async function sourceDepth(cluster: Cluster, names: SourceNames, held: number): Promise<Depth> {
  const { topic, retry, delayed, group, deadLetters } = names
  const all = (name: string, from: number, to: number): TopicPartition[] =>
    Array.from({ length: Math.max(0, to - from) }, (_, index) => ({ topic: name, partition: from + index }))
  const retries = await cluster.countPartitions(retry)
  const main = all(topic, 0, await cluster.countPartitions(topic))
  const back = all(retry, stepCount, retries)
  const waiting = all(retry, 0, Math.min(stepCount, retries))
  if (delayed !== undefined) waiting.push(...all(delayed, 0, await cluster.countPartitions(delayed)))
  const open = await countOpen(cluster, group, [...main, ...back, ...waiting])
  const sum = (partitions: readonly TopicPartition[]): number =>
    partitions.reduce((total, one) => total + (open.get(keyOf(one)) ?? 0), 0)
  const lettersThere = (await cluster.countPartitions(deadLetters)) > 0
  return {
    ready: Math.max(0, sum(main) + sum(back) - held),
    delayed: sum(waiting),
    inFlight: undefined,
    deadLettered: lettersThere ? (await liveLetters(cluster, deadLetters)).letters.length : undefined,
    oldestAgeMs: undefined,
    lag: sum(main),
  }
}

async function countOpen(
  cluster: Cluster,
  group: string,
  partitions: readonly TopicPartition[],
): Promise<ReadonlyMap<string, number>> {
  const at = async (time: number): Promise<ReadonlyMap<string, number>> => {
    const found = await cluster.askLeaders(
      partitions.map((one) => ({ ...one, time })),
      listOffsets,
    )
    return new Map(found.map((one) => [keyOf(one), one.offset]))
  }
  const offsets = await committedOffsets(cluster, group, partitions)
  const [starts, ends] = [await at(moments.start), await at(moments.end)]
  return new Map(
    offsets.map((one) => {
      const key = keyOf(one)
      const offset = one.offset < 0 ? (starts.get(key) ?? 0) : one.offset
      const { done } = readMetadata(offset, one.metadata)
      return [key, Math.max(0, (ends.get(key) ?? offset) - offset - done.length)]
    }),
  )
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic} ${partition}`
}
