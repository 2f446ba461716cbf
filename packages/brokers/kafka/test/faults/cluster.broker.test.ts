import {
  expectEmpty,
  expectKept,
  expectProgress,
  expectUp,
  failingAtTimes,
  patience,
  startLoad,
  Witness,
} from '@posthorn/test-faults'
import { fixed } from '@posthorn/transport'
import { describe, expect, test, vi } from 'vitest'
import { expectProgressByKey, findMisordered, startKeyedLoad } from './keyed-load.ts'
import { coordinatorOf, leadersOf, moveLeaders } from './leaders.ts'
import { withCluster } from './with-cluster.ts'

describe('three nodes of Kafka', () => {
  const bench = withCluster(3)

  test(
    'each killed in turn under load, and then two at once: nothing that was confirmed is lost',
    { timeout: 120_000 },
    async () => {
      const witness = new Witness()
      const { nodes } = bench.server
      const [producer, consumer] = [await bench.open(), await bench.open()]
      const queue = bench.name('orders')
      await consumer.consume(queue, failingAtTimes(witness), { concurrency: 50, retryDelay: fixed(20) })
      const stop = startLoad(producer, queue, witness)
      for (const node of nodes) {
        await expectProgress(witness, 100)
        await node.kill()
        await expectProgress(witness, 100)
        await expectUp(producer, consumer)
        await node.restart()
      }
      await expectProgress(witness, 100)
      const [first, ...others] = nodes
      await Promise.all(others.map((node) => node.kill()))
      const before = witness.rejected.size + witness.unknown.size
      await vi.waitFor(
        () => expect(witness.rejected.size + witness.unknown.size).toBeGreaterThan(before + 10),
        patience,
      )
      expect(first?.running).toBe(true)
      await Promise.all(others.map((node) => node.restart()))
      await expectProgress(witness, 100)
      await stop()
      await expectKept(witness)
      await expectEmpty(consumer, queue)
      await expectUp(producer, consumer)
    },
  )

  test(
    'leaders moved while keyed and keyless messages are sent: all are there, in the order of their key',
    { timeout: 120_000 },
    async () => {
      const [keyed, keyless] = [new Witness(), new Witness()]
      const [producer, consumer] = [await bench.open(), await bench.open()]
      const [orders, mails] = [bench.name('orders'), bench.name('mails')]
      await consumer.consume(orders, keyed.handle, { concurrency: 50, order: 'key' })
      await consumer.consume(mails, keyless.handle, { concurrency: 50 })
      const stops = [startKeyedLoad(producer, orders, keyed), startLoad(producer, mails, keyless)]
      for (const away of [1, 2, 3, 1]) {
        await Promise.all([expectProgress(keyed, 200), expectProgress(keyless, 100)])
        await Promise.all([moveLeaders(bench, orders, away), moveLeaders(bench, mails, away)])
      }
      await Promise.all([expectProgress(keyed, 200), expectProgress(keyless, 100)])
      await Promise.all(stops.map((stop) => stop()))
      await Promise.all([expectKept(keyed), expectKept(keyless)])
      expect(findMisordered(keyed)).toEqual([])
      // Whoever leads next takes them, in time.
      expect([...keyed.rejected, ...keyless.rejected]).toEqual([])
      await Promise.all([expectEmpty(consumer, orders), expectEmpty(consumer, mails)])
    },
  )

  test.each([
    ['longer', 3_000],
    ['less long', 60_000],
  ])(
    'one frozen, for %s than sends wait: the others lead its partitions, and each send has an outcome',
    { timeout: 120_000 },
    async (_, sendTimeoutMs) => {
      const [keyed, keyless] = [new Witness(), new Witness()]
      const transport = await bench.open({ sendTimeoutMs })
      const [orders, mails] = [bench.name('orders'), bench.name('mails')]
      await transport.consume(orders, keyed.handle, { concurrency: 50, order: 'key' })
      await transport.consume(mails, keyless.handle, { concurrency: 50 })
      const stops = [startKeyedLoad(transport, orders, keyed), startLoad(transport, mails, keyless)]
      await Promise.all([expectProgress(keyed, 200), expectProgress(keyless, 100)])
      const [leader] = await leadersOf(bench, orders)
      const node = bench.server.nodes[leader! - 1]!
      node.pause()
      try {
        await expectProgressByKey(keyed, 50)
      } finally {
        node.resume()
      }
      await Promise.all([expectProgress(keyed, 200), expectProgress(keyless, 100)])
      await Promise.all(stops.map((stop) => stop()))
      await Promise.all([expectKept(keyed), expectKept(keyless)])
      expect(findMisordered(keyed)).toEqual([])
      // The fault was felt, by what was in the one request that the node had then.
      expect(keyed.unknown.size + keyless.unknown.size).toBeGreaterThan(0)
      await Promise.all([expectEmpty(transport, orders), expectEmpty(transport, mails)])
      await expectUp(transport)
    },
  )

  test(
    'the coordinator of a group killed, its members go on where they were, and repeat nothing',
    { timeout: 120_000 },
    async () => {
      const witness = new Witness()
      // Long enough for another node to take over.
      const options = { sessionTimeoutMs: 20_000 }
      const [producer, one, other] = [
        await bench.open(),
        await bench.open(options),
        await bench.open(options),
      ]
      const queue = bench.name('orders')
      await one.consume(queue, witness.handle, { concurrency: 50 })
      await other.consume(queue, witness.handle, { concurrency: 50 })
      const stop = startLoad(producer, queue, witness)
      for (let kills = 1; kills <= 2; kills += 1) {
        await expectProgress(witness, 200)
        const node = bench.server.nodes[(await coordinatorOf(bench, queue)) - 1]!
        await node.kill()
        await expectProgress(witness, 500)
        await node.restart()
      }
      await stop()
      await expectKept(witness)
      await expectEmpty(one, queue)
      await expectUp(producer, one, other)
      expect(witness.repeated).toEqual([])
    },
  )
})
