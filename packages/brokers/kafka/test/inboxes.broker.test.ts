import { kafka } from '@posthorn/kafka'
import { systemClock } from '@posthorn/transport/driver'
import { expect, test, vi } from 'vitest'
import { Cluster } from '../src/cluster.ts'
import { Connections } from '../src/client/connections.ts'
import { deleteRecords } from '../src/protocol/offsets.ts'
import { InboxKeeper } from '../src/inbox-keeper.ts'
import { kafkajsClient } from '../src/client/kafkajs-client.ts'
import { metadata } from '../src/protocol/topics.ts'
import { Publisher } from '../src/publisher.ts'
import { withKafka } from './with-kafka.ts'

const bench = withKafka()

test('inboxes whose process is gone are deleted, after an hour in which nobody wrote, and none that lives', async () => {
  const transport = await kafka({ url: bench.url })
  const seen: unknown[] = []
  const living = await transport.inbox(({ data }) => void seen.push(data))
  const admin = bench.raw.admin()
  await admin.connect()
  await admin.createTopics({
    topics: ['inbox..left', 'inbox..used', 'other'].map((topic) => ({ topic, numPartitions: 1 })),
  })
  const producer = bench.raw.producer()
  await producer.connect()
  await producer.send({ topic: 'inbox..left', messages: [{ value: '1' }] })

  let laterMs = 0
  const clock = { ...systemClock, now: () => systemClock.now() + laterMs }
  const connections = new Connections(kafkajsClient(bench.raw), clock)
  const cluster = new Cluster(connections, clock)
  await cluster.refresh(['inbox..left'])
  // As it is when its records are an hour old.
  const worn = { topic: 'inbox..left', partition: 0, offset: 1 }
  await cluster.askLeaders([worn], (all) => deleteRecords(all, 5_000))
  const host = { clock, namespace: '', emit: () => undefined }
  const keeper = new InboxKeeper({ cluster, publisher: new Publisher(cluster, 'none'), host }, 'inbox..mine')
  const names = async (): Promise<readonly string[]> =>
    (await cluster.askAny(metadata('all'))).topics
      .map(({ topic }) => topic)
      .filter((topic) => topic.startsWith('inbox..') || topic === 'other')
      .toSorted()

  const address = living.address.replace('/', '..')
  const before = [address, 'inbox..left', 'inbox..used', 'other'].toSorted()
  await keeper.look()
  expect(await names()).toEqual(before)
  await producer.send({ topic: 'inbox..used', messages: [{ value: '1' }] })
  laterMs = 30 * 60_000
  await keeper.look()
  expect(await names()).toEqual(before)
  laterMs = 61 * 60_000
  await keeper.look()
  expect(await names()).toEqual(before.filter((name) => name !== 'inbox..left'))

  // What says that the owner lives is no message.
  await transport.send(living.address, { data: 'hello' })
  await vi.waitUntil(() => seen.length > 0)
  expect(seen).toEqual(['hello'])
  await producer.disconnect()
  await admin.disconnect()
  connections.close()
  await living.close()
  await transport.close()
})
