import {
  expectEmpty,
  expectKept,
  expectProgress,
  expectUp,
  patience,
  startLoad,
  untilDone,
  Witness,
} from '@posthorn/test-faults'
import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, test, vi } from 'vitest'
import { apis } from '../kafka-requests.ts'
import { KafkaSockets } from '../kafka-sockets.ts'
import { findMisordered, startKeyedLoad } from './keyed-load.ts'
import { withCluster } from './with-cluster.ts'

describe('a group on Kafka', () => {
  const bench = withCluster(1)

  test(
    'whose members come and go under load: nothing is lost or done again, and keys keep their order',
    { timeout: 120_000 },
    async () => {
      const [keyed, free] = [new Witness(), new Witness()]
      const [orders, mails] = [bench.name('orders'), bench.name('mails')]
      const producer = await bench.open()
      const join = async (): ReturnType<typeof bench.open> => {
        // A member that does not leave as it should is waited for longer than this test's patience.
        const member = await bench.open({ sessionTimeoutMs: 60_000 })
        await member.consume(orders, keyed.handle, { concurrency: 50, order: 'key' })
        await member.consume(mails, free.handle, { concurrency: 50 })
        return member
      }
      const members = [await join()]
      const stops = [startKeyedLoad(producer, orders, keyed), startKeyedLoad(producer, mails, free)]
      for (let round = 1; round <= 5; round += 1) {
        members.push(await join())
        await Promise.all([expectProgress(keyed, 300), expectProgress(free, 300)])
        if (members.length > 2) await members.shift()?.close()
        await Promise.all([expectProgress(keyed, 300), expectProgress(free, 300)])
      }
      await Promise.all(stops.map((stop) => stop()))
      await Promise.all([expectKept(keyed), expectKept(free)])
      expect(findMisordered(keyed)).toEqual([])
      expect([...keyed.repeated, ...free.repeated]).toEqual([])
      await Promise.all([expectEmpty(producer, orders), expectEmpty(producer, mails)])
    },
  )

  test(
    'whose topic is deleted and made anew: what is sent then is handled from its beginning',
    { timeout: 90_000 },
    async () => {
      const [producer, consumer] = [await bench.open(), await bench.open()]
      const queue = bench.name('orders')
      const [old, witness] = [new Witness(), new Witness()]
      await consumer.consume(queue, witness.handle, { concurrency: 50 })
      let rebuilt = 0
      consumer.on('rebuilt', () => (rebuilt += 1))
      for (let round = 1; round <= 2; round += 1) {
        const stop = startLoad(producer, queue, old, `old-${round}`)
        await vi.waitFor(() => expect(old.confirmed.size).toBeGreaterThan(200 * round), patience)
        await stop()
        await bench.admin((admin) => admin.deleteTopics({ topics: [queue] }))
        await vi.waitFor(() => expect(rebuilt).toBeGreaterThanOrEqual(round), patience)
        await untilDone(() => producer.send(queue, { id: `again-${round}`, data: 1 }))
        await Promise.all(
          Array.from({ length: 500 }, (_, index) =>
            witness.send(producer, queue, { id: `new-${round}-${index}`, data: index }),
          ),
        )
        expect(witness.errors).toEqual([])
        await expectKept(witness)
        expect(witness.handled.has(`again-${round}`)).toBe(true)
      }
      expect(old.strange).toEqual([])
      await expectUp(producer, consumer)
    },
  )

  test('that gets a record with a wrong checksum: it goes to the dead letters, and the rest goes on', async () => {
    const sockets = new KafkaSockets()
    let spoiled = 0
    sockets.changeAnswer = (request, bytes) => {
      const at = request.api === apis.fetch ? bytes.indexOf('spoiled') : -1
      if (at < 0) return bytes
      spoiled += 1
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
      return changed
    }
    const producer = await bench.open({ partitions: 1 })
    const queue = bench.name('orders')
    const witness = new Witness()
    await producer.declare({ queues: [{ name: queue }] })
    const client = new Kafka({
      brokers: [...bench.server.brokers],
      logLevel: logLevel.NOTHING,
      socketFactory: sockets.factory,
    })
    const consumer = await bench.open({ kafka: client })
    await consumer.consume(queue, witness.handle)
    await witness.send(producer, queue, { id: 'before', data: 1 })
    await producer.send(queue, { id: 'bad', data: 'spoiled' })
    await witness.send(producer, queue, { id: 'after', data: 1 })
    await expectKept(witness)
    await vi.waitFor(async () => expect(await consumer.deadLetters(queue).count()).toBe(1), patience)
    await expectEmpty(consumer, queue)
    expect(witness.handled.has('bad')).toBe(false)
    expect(spoiled).toBeGreaterThan(0)
  })
})
