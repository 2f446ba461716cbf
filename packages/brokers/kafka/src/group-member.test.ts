import { expect, test, vi } from 'vitest'
import { GroupMember } from './group-member.ts'
import { writeAssignment } from './group-protocol.ts'
import { kafkaErrors } from './protocol/error-names.ts'
import { writeError, writeJoined, writeSynced } from '../test/group-answers.ts'
import { scriptedCluster } from '../test/scripted-cluster.ts'

const unit = { name: 'slot:0', partitions: [{ topic: 'orders', partition: 0 }] }
const apis = { join: 11, beat: 12, leave: 13, sync: 14 }

/** Whose joins and heartbeats are answered with these errors, one after the other, and then with none. */
function create(
  joins: number[],
  beats: number[],
  units = [unit],
): { member: GroupMember; told: string[]; asked: number[] } {
  const told: string[] = []
  const asked: number[] = []
  let ids = 0
  const cluster = scriptedCluster({
    leaders: { orders: [1] },
    answer(api, writer) {
      asked.push(api)
      if (api === apis.join) writeJoined(writer, joins.shift() ?? 0, `member-${(ids += 1)}`)
      else if (api === apis.sync) writeSynced(writer, writeAssignment(units))
      else writeError(writer, api === apis.beat ? (beats.shift() ?? 0) : 0)
    },
  })
  const member = new GroupMember({
    cluster,
    group: 'orders',
    purpose: 'group',
    sessionTimeoutMs: 10_000,
    topics: ['orders'],
    units: async () => [unit],
    listener: {
      gained: (all) => told.push(`gained ${all.join(' ')}`),
      giveUp: async () => undefined,
      lost: () => {
        told.push('lost')
        void member.leave()
      },
      failed: () => told.push('failed'),
    },
  })
  return { member, told, asked }
}

test('who is unknown before it has anything joins again, and nobody hears of it', async () => {
  const { MEMBER_ID_REQUIRED, UNKNOWN_MEMBER_ID } = kafkaErrors
  const { member, told } = create([MEMBER_ID_REQUIRED, UNKNOWN_MEMBER_ID, MEMBER_ID_REQUIRED], [])
  await member.start()
  await vi.waitUntil(() => told.length > 0)
  expect(told).toEqual(['gained slot:0'])
  await member.leave()
})

test('who is unknown when it has nothing joins again, and nobody hears of it', async () => {
  const { member, told, asked } = create([], [kafkaErrors.UNKNOWN_MEMBER_ID], [])
  await member.start()
  await vi.waitUntil(() => asked.filter((api) => api === apis.join).length === 2, 5_000)
  await member.leave()
  expect(told).toEqual([])
})

test('who is unknown when it has something tells so, and where it ends for that it never joins again', async () => {
  const { member, told, asked } = create([], [kafkaErrors.UNKNOWN_MEMBER_ID])
  await member.start()
  await vi.waitUntil(() => told.length > 1, 5_000)
  await member.leave()
  expect(told).toEqual(['gained slot:0', 'lost'])
  expect(asked.filter((api) => api === apis.join)).toHaveLength(1)
})

test('who leaves tells so, and what it was asking for is over', async () => {
  const { member, asked } = create([], [])
  await member.start()
  const changed = member.next(member.membership)
  await member.leave()
  await changed
  expect(asked.at(-1)).toBe(apis.leave)
})
