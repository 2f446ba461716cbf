import { expect, vi } from 'vitest'
import { patience } from '@posthorn/test-faults'
import type { Cluster } from './with-cluster.ts'

/** Takes the replicas of every partition away from one of three nodes, so that others lead what it led. */
export async function moveLeaders({ admin }: Cluster, topic: string, away: number): Promise<void> {
  const replicas = [1, 2, 3].filter((node) => node !== away)
  const count = (await leadersOf({ admin }, topic)).length
  const partitionAssignment = Array.from({ length: count }, (_, partition) => ({
    partition,
    replicas: partition % 2 === 0 ? replicas : replicas.toReversed(),
  }))
  await admin((client) => client.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] }))
  await vi.waitFor(async () => expect(await leadersOf({ admin }, topic)).not.toContain(away), patience)
}

/** Each partition's leader. */
export async function leadersOf({ admin }: Pick<Cluster, 'admin'>, topic: string): Promise<number[]> {
  const { topics } = await admin((client) => client.fetchTopicMetadata({ topics: [topic] }))
  return topics.flatMap(({ partitions }) =>
    partitions.toSorted((a, b) => a.partitionId - b.partitionId).map(({ leader }) => leader),
  )
}

/** The node that has the group's positions. */
export async function coordinatorOf(cluster: Pick<Cluster, 'admin'>, group: string): Promise<number> {
  const leaders = await leadersOf(cluster, '__consumer_offsets')
  // As Java's `String.hashCode`.
  let hash = 0
  for (let index = 0; index < group.length; index++) hash = (31 * hash + group.charCodeAt(index)) | 0
  return leaders[(hash & 0x7fffffff) % leaders.length]!
}
