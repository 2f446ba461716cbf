import { fixed, type Transport } from '@posthorn/transport'
import type { RabbitmqNative } from '@posthorn/rabbitmq'
import type { RabbitmqVersion } from '@posthorn/test-brokers'
import {
  eagerClock,
  expectEmpty,
  expectKept,
  expectProgress,
  expectUp,
  failingAtTimes,
  patience,
  startLoad,
  Witness,
} from '@posthorn/test-faults'
import { describe, expect, test, vi } from 'vitest'
import { withRabbitmq } from '../with-rabbitmq.ts'
import type { Socket } from 'node:net'

// 4.3 keeps what is declared in another store (Khepri).
describe.each<RabbitmqVersion>(['3.10', '4.3'])('three nodes of RabbitMQ %s', (version) => {
  const bench = withRabbitmq(async () => ({ version, nodes: 3 }))

  test(
    'each node killed in turn under load, nothing that was confirmed is lost',
    { timeout: 180_000 },
    async () => {
      const witness = new Witness()
      const { server } = bench
      const options = { urls: server.urls, clock: eagerClock, sendTimeoutMs: 10_000 }
      const [producer, consumer] = [await bench.open(options), await bench.open(options)]
      const queue = bench.name('orders')
      await consumer.consume(queue, failingAtTimes(witness), { concurrency: 50, retryDelay: fixed(20) })
      await server.sync()
      const stop = startLoad(producer, queue, witness)
      for (const node of server.nodes) {
        await expectProgress(witness, 100)
        await node.kill()
        await expectProgress(witness, 100)
        await expectUp(producer, consumer)
        await node.restart()
      }
      await expectProgress(witness, 100)
      await stop()
      await expectKept(witness)
      await expectEmpty(consumer, queue)
      // The faults were felt.
      expect(witness.unknown.size + witness.rejected.size).toBeGreaterThan(0)
    },
  )

  test(
    'of its nodes all are connected to, and one that is dead is passed over',
    { timeout: 60_000 },
    async () => {
      const { server } = bench
      const ports = (urls: readonly string[]): Set<number> =>
        new Set(urls.map((url) => Number(new URL(url).port)))
      expect(await portsOf(bench.open, server.urls)).toEqual(ports(server.urls))
      const [dead, ...alive] = server.nodes
      await dead?.kill()
      try {
        expect(await portsOf(bench.open, server.urls)).toEqual(ports(alive.map(({ url }) => url)))
      } finally {
        await dead?.restart()
      }
    },
  )

  test(
    'a classic queue, whose node is killed: no send is called rejected that was kept',
    { timeout: 120_000 },
    async () => {
      const witness = new Witness()
      const { server } = bench
      const [home, ...others] = server.nodes
      const declaring = await bench.open({ url: home?.url ?? '', queueType: 'classic' })
      const queue = bench.name('orders')
      await declaring.declare({ queues: [{ name: queue }] })
      const urls = others.map(({ url }) => url)
      const producer = await bench.open({ urls, topology: 'none', clock: eagerClock, sendTimeoutMs: 5_000 })
      const stop = startLoad(producer, queue, witness)
      await vi.waitFor(() => expect(witness.confirmed.size).toBeGreaterThan(200), patience)
      await home?.kill()
      await vi.waitFor(
        () => expect(witness.rejected.size + witness.unknown.size).toBeGreaterThan(20),
        patience,
      )
      await stop()
      await home?.restart()
      const consumer = await bench.open({ urls, topology: 'none', clock: eagerClock })
      await consumer.consume(queue, witness.handle, { concurrency: 50 })
      await expectKept(witness)
      await expectEmpty(consumer, queue)
      expect(witness.untrue).toEqual([])
    },
  )
})

/** Of the nodes that are connected to, tried often enough that by chance none is left out. */
async function portsOf(
  open: (options: { readonly urls: readonly string[] }) => Promise<Transport<RabbitmqNative>>,
  urls: readonly string[],
): Promise<Set<number | undefined>> {
  const transports = await Promise.all(Array.from({ length: 20 }, () => open({ urls })))
  const found = transports.flatMap(({ native: { publishing, consuming } }) =>
    [publishing, consuming].map((model) => {
      const { stream } = model.connection as unknown as { readonly stream: Socket }
      return stream.remotePort
    }),
  )
  await Promise.all(transports.map((transport) => transport.close()))
  return new Set(found)
}
