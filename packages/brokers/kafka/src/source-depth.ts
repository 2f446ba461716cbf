import { readMetadata } from './commit-metadata.ts'
import { stepCount } from './delay-steps.ts'
import { committedOffsets } from './committed-offsets.ts'
import { listOffsets, moments } from './protocol/offsets.ts'
import { liveLetters } from './letter-log.ts'
import { readFrom } from './read-topic.ts'
import type { Cluster } from './cluster.ts'
import type { SourceNames } from './names.ts'
import type { TopicPartition } from './protocol/request.ts'
import type { Depth } from '@posthorn/transport/driver'

/**
 * What the offsets say of a source, less the `held` of this process. What others hold counts as ready, and so does what
 * patterns will filter; the oldest may be one of them.
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
    partitions.reduce((total, one) => total + (open.get(keyOf(one))?.count ?? 0), 0)
  const lettersThere = (await cluster.countPartitions(deadLetters)) > 0
  const ready = Math.max(0, sum(main) + sum(back) - held)
  const firsts = [...main, ...back].flatMap((one) => {
    const { count = 0, first = 0 } = open.get(keyOf(one)) ?? {}
    return count > 0 ? [{ ...one, offset: first }] : []
  })
  return {
    ready,
    delayed: sum(waiting),
    inFlight: undefined,
    deadLettered: lettersThere ? (await liveLetters(cluster, deadLetters)).letters.length : undefined,
    oldestAgeMs: ready === 0 ? undefined : await oldestAge(cluster, firsts),
    lag: sum(main),
  }
}

/** By the times of the first records that are not done; nothing where none is there. */
async function oldestAge(
  cluster: Cluster,
  firsts: readonly (TopicPartition & { readonly offset: number })[],
): Promise<number | undefined> {
  const times = await Promise.all(
    firsts.map(async ({ topic, partition, offset }) => {
      const { records } = await readFrom(cluster, topic, partition, offset, 1)
      return records[0]?.timestamp ?? Infinity
    }),
  )
  const oldest = Math.min(...times)
  return oldest === Infinity ? undefined : Math.max(0, cluster.clock.now() - oldest)
}

interface Open {
  readonly count: number
  /** The offset of the first. */
  readonly first: number
}

async function countOpen(
  cluster: Cluster,
  group: string,
  partitions: readonly TopicPartition[],
): Promise<ReadonlyMap<string, Open>> {
  const at = async (time: number): Promise<ReadonlyMap<string, number>> => {
    const found = await cluster.askLeaders(
      partitions.map((one) => ({ ...one, time })),
      (wanted) => listOffsets(wanted),
    )
    return new Map(found.map((one) => [keyOf(one), one.offset]))
  }
  const offsets = await committedOffsets(cluster, group, partitions)
  const [starts, ends] = [await at(moments.start), await at(moments.end)]
  return new Map(
    offsets.map((one) => {
      const key = keyOf(one)
      const start = starts.get(key) ?? 0
      const offset = one.offset < 0 ? start : one.offset
      // What is gone waits no more.
      const done = new Set(readMetadata(offset, one.metadata).done)
      let first = Math.max(start, offset)
      while (done.has(first)) first += 1
      const count = (ends.get(key) ?? first) - first
      const passed = [...done].filter((at) => at > first).length
      return [key, { count: Math.max(0, count - passed), first }]
    }),
  )
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic} ${partition}`
}
