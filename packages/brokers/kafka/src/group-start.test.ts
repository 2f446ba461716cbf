import { expect, test } from 'vitest'
import { sourceNames } from './names.ts'
import { startGroup } from './group-start.ts'
import { writeOffsets } from '../test/group-answers.ts'
import { scriptedCluster } from '../test/scripted-cluster.ts'
import type { WantedGroup } from './wanted-objects.ts'

const source = {
  kind: 'subscription',
  topic: 'events',
  group: 'all',
  patterns: ['#'],
  deadLetterQueue: 'events/all.dlq',
  shards: 1,
} as const
const wanted: WantedGroup = {
  subject: { kind: 'subscription', part: 'group', name: 'events/all', nativeName: 'events/all' },
  names: sourceNames('', source),
  from: 'end',
}

test.each([
  ['nobody else has declared', false, [['events', 0, 5]]],
  ['others declare before it has looked where the topic ends', true, []],
])('a group that %s begins where it was declared first', async (_, isRace, expected) => {
  let isListed = false
  const committed: (readonly [string, number, number])[] = []
  const cluster = scriptedCluster({
    leaders: { events: [1] },
    // Read when the topic is asked for its end.
    get ends(): [number, number] {
      isListed = true
      return [0, 5]
    },
    commit: async (positions) => {
      committed.push(...positions.map(({ topic, partition, offset }) => [topic, partition, offset] as const))
      return positions.map(() => 0)
    },
    answer: (__, writer) =>
      writeOffsets(writer, isRace && isListed ? [{ topic: 'events', partition: 0, offset: 4 }] : []),
  })
  await cluster.refresh(['events'])
  await startGroup(cluster, wanted, 'create', false)
  expect(committed.filter(([topic]) => topic === 'events')).toEqual(expected)
})
