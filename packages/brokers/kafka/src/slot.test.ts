import { systemClock, type Delivery } from '@posthorn/transport/driver'
import { expect, test, vi } from 'vitest'
import { Committer } from './committer.ts'
import { PumpTurns } from './pump-turns.ts'
import { Reading } from './reading.ts'
import { Slot } from './slot.ts'
import { batchAt } from '../test/batch-at.ts'
import { scriptedCluster } from '../test/scripted-cluster.ts'
import type { GroupMember } from './group-member.ts'

function create(readings: readonly Reading[], seen: number[]): Slot {
  const cluster = scriptedCluster({
    leaders: { orders: [1] },
    commit: async (positions) => positions.map(() => 0),
  })
  const member = {
    membership: { generation: 1, memberId: 'me' },
    next: () => Promise.resolve(),
    fence: () => undefined,
  } as unknown as GroupMember
  return new Slot('orders[0]', 0, readings, {
    clock: systemClock,
    turns: new PumpTurns(systemClock),
    committer: new Committer(cluster, 'orders', member, 'commit'),
    sink: {
      assigned: () => 0,
      deliver(_, deliveries: readonly Delivery[]) {
        for (const { message } of deliveries) seen.push(Number(Buffer.from(message.body).toString()))
      },
      revoke: () => Promise.resolve(),
      lost: () => undefined,
      ended: () => undefined,
    },
    matches: () => true,
    full: () => undefined,
    copy: () => Promise.resolve([]),
    drained: () => undefined,
  })
}

test('a hole in the offsets is passed, though it is wider than what is handed out at a time', async () => {
  const reading = new Reading({ topic: 'orders', partition: 0 }, 0, '')
  const seen: number[] = []
  const slot = create([reading], seen)
  slot.window(2)
  const bytes = Buffer.concat([batchAt(1, '1'), batchAt(1_000, '2')])
  reading.line.accept({ topic: 'orders', partition: 0, error: 0, logStart: 0, aborted: [], bytes })
  await vi.waitUntil(() => seen.length === 2)
  expect(seen).toEqual([1, 2])
  slot.close()
})

test('what is read beside the source later on goes the same way', async () => {
  const [main, back] = [0, 13].map((partition) => new Reading({ topic: 'orders', partition }, 0, ''))
  const seen: number[] = []
  const slot = create([main!], seen)
  slot.window(2)
  slot.add(back!)
  back!.line.accept({
    topic: 'orders',
    partition: 13,
    error: 0,
    logStart: 0,
    aborted: [],
    bytes: batchAt(0, '1'),
  })
  await vi.waitUntil(() => seen.length === 1)
  expect(slot.readings).toEqual([back, main])
  slot.close()
})
