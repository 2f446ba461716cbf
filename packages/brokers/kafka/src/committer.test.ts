import { expect, test, vi } from 'vitest'
import { Committer, type CommitOwner } from './committer.ts'
import { kafkaErrors } from './protocol/error-names.ts'
import { scriptedCluster } from '../test/scripted-cluster.ts'
import type { CommittedPosition } from '../test/kafka-requests.ts'
import type { GroupMember } from './group-member.ts'

/** One that has a position and notes what becomes of it. */
function owner(partition: number, told: string[], fails?: Error): CommitOwner {
  return {
    commits() {
      if (fails !== undefined) throw fails
      return [{ topic: 'orders', partition, offset: 1, metadata: '' }]
    },
    committed: () => void told.push(`${partition} committed`),
    failed: (error) => void told.push(`${partition} failed: ${(error as Error).message}`),
  }
}

function create(commit: (positions: readonly CommittedPosition[]) => Promise<readonly number[]>): Committer {
  const cluster = scriptedCluster({ leaders: { orders: [1, 1, 1] }, commit })
  const member = {
    membership: { generation: 1, memberId: 'me' },
    next: () => Promise.resolve(),
    fence: () => undefined,
  } as unknown as GroupMember
  return new Committer(cluster, 'orders', member, 'commit')
}

test('one position that is refused, or cannot be told, harms no other', async () => {
  const committer = create(async (positions) =>
    positions.map(({ partition }) => (partition === 1 ? kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION : 0)),
  )
  const told: string[] = []
  committer.mark(owner(0, told))
  committer.mark(owner(1, told))
  committer.mark(owner(2, told, new RangeError('no room')))
  await vi.waitUntil(() => told.length === 3)
  expect(told.toSorted()).toEqual([
    '0 committed',
    expect.stringMatching(/1 failed: .*UNKNOWN_TOPIC_OR_PARTITION/),
    '2 failed: no room',
  ])
})

test('what is forgotten while it is under way is never written again, and what is left is', async () => {
  const written: number[][] = []
  const told: string[] = []
  const [gone, kept] = [owner(0, told), owner(1, told)]
  const committer = create(async (positions) => {
    written.push(positions.map(({ partition }) => partition))
    if (written.length > 1) return positions.map(() => 0)
    committer.forget(gone)
    return positions.map(() => kafkaErrors.REBALANCE_IN_PROGRESS)
  })
  committer.mark(gone)
  committer.mark(kept)
  await vi.waitUntil(() => told.length > 0)
  expect(written).toEqual([[0, 1], [1]])
  expect(told).toEqual(['1 committed'])
})
