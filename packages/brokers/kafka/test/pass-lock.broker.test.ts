import { systemClock } from '@posthorn/transport/driver'
import { expect, test, vi } from 'vitest'
import { Cluster } from '../src/cluster.ts'
import { Connections } from '../src/client/connections.ts'
import { kafkajsClient } from '../src/client/kafkajs-client.ts'
import { PassLock } from '../src/pass-lock.ts'
import { leaveGroup } from '../src/protocol/group.ts'
import { withKafka } from './with-kafka.ts'
import type { ConsumerParts } from '../src/consumer-parts.ts'

const patience = { timeout: 20_000, interval: 20 }
const group = 'orders.dlq..pass'

const bench = withKafka()

test('a pass that was lost is lost for good, and holds up no other', { timeout: 60_000 }, async () => {
  const connections = new Connections(kafkajsClient(bench.raw), systemClock)
  const cluster = new Cluster(connections, systemClock)
  const admin = bench.raw.admin()
  await admin.connect()
  const members = async (): Promise<readonly string[]> => {
    const { groups } = await admin.describeGroups([group])
    return groups.flatMap((one) => one.members.map(({ memberId }) => memberId))
  }
  try {
    let serial = 0
    const parts = { cluster, settings: { sessionTimeoutMs: 3_000 }, nextSerial: () => (serial += 1) }
    const take = (): Promise<PassLock> =>
      PassLock.take(parts as unknown as ConsumerParts, 'orders.dlq', 'orders')
    await admin.createTopics({ topics: [{ topic: 'orders.dlq', numPartitions: 1 }], waitForLeaders: true })
    const first = await take()
    await expect(take()).rejects.toMatchObject({ code: 'POSTHORN_DEAD_LETTERS_BUSY' })
    // As if its session had ended.
    const [id] = await members()
    await cluster.askCoordinator(group, 'main', leaveGroup(group, id!))
    await vi.waitUntil(
      () =>
        first.check().then(
          () => false,
          () => true,
        ),
      patience,
    )
    // It is over, or, if it were not, has joined again.
    await first.member.next(first.member.membership)
    const second = await take()
    await second.check()
    await second.member.leave()
    await vi.waitUntil(async () => (await members()).length === 0, patience)
    await expect(first.check()).rejects.toMatchObject({ code: 'POSTHORN_DEAD_LETTERS_LOST' })
  } finally {
    await admin.disconnect()
    connections.close()
  }
})
