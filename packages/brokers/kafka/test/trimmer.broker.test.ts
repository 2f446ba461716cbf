import { kafka } from '@posthorn/kafka'
import { systemClock } from '@posthorn/transport/driver'
import { expect, test } from 'vitest'
import { Cluster } from '../src/cluster.ts'
import { Connections } from '../src/client/connections.ts'
import { logOf } from '../src/commit-metadata.ts'
import { endsOf } from '../src/read-topic.ts'
import { kafkajsClient } from '../src/client/kafkajs-client.ts'
import { Reading } from '../src/reading.ts'
import { Trimmer } from '../src/trimmer.ts'
import { withKafka } from './with-kafka.ts'

const bench = withKafka()

test('what is worked off is deleted of topics that were made here for one source, and of no others', async () => {
  const connections = new Connections(kafkajsClient(bench.raw), systemClock)
  const cluster = new Cluster(connections, systemClock)
  const transport = await kafka({ url: bench.url, partitions: 1 })
  await transport.declare({ queues: [{ name: 'own' }], topics: [{ name: 'shared' }] })
  const readings: Reading[] = []
  for (const topic of ['own', 'shared']) {
    await cluster.countPartitions(topic)
    const messages = Array.from({ length: 5 }, (_, data) => ({ data }))
    if (topic === 'own') await transport.sendMany(topic, messages)
    else await transport.publishMany(topic, messages)
    const reading = new Reading({ topic, partition: 0 }, 0, '', logOf(cluster.topicId(topic)))
    reading.position.done(reading.position.handOut(2, 3))
    reading.commit(false)
    reading.committed()
    readings.push(reading)
  }
  await new Trimmer(cluster, () => readings).trim()
  expect(await endsOf(cluster, 'own', 0)).toEqual({ start: 3, end: 5 })
  expect(await endsOf(cluster, 'shared', 0)).toEqual({ start: 0, end: 5 })
  connections.close()
  await transport.close()
})
