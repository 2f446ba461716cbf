import { fixed } from '@posthorn/transport'
import { startTcpProxy, type TcpProxy } from '@posthorn/test-brokers'
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
import { version, withRabbitmq } from '../with-rabbitmq.ts'

describe(`RabbitMQ ${version}, behind a network that is silent`, () => {
  const bench = withRabbitmq()

  test.each<readonly [string, (proxy: TcpProxy) => void]>([
    ['half-open connections', (proxy) => proxy.halfOpen()],
    ['a black hole on the way to the server', (proxy) => proxy.blackHole('toServer')],
    ['a black hole on the way back', (proxy) => proxy.blackHole('toClient')],
  ])('%s: noticed, and nothing is lost', { timeout: 60_000 }, async (_, break_) => {
    const witness = new Witness()
    const proxy = await startTcpProxy({ target: bench.server.url })
    const options = { url: proxy.url, clock: eagerClock, heartbeatS: 1, sendTimeoutMs: 3_000 }
    const [producer, consumer] = [await bench.open(options), await bench.open(options)]
    const queue = bench.name('orders')
    await consumer.consume(queue, failingAtTimes(witness), { concurrency: 50, retryDelay: fixed(20) })
    const stop = startLoad(producer, queue, witness)
    await expectProgress(witness, 100)
    break_(proxy)
    for (const transport of [producer, consumer]) {
      await vi.waitFor(() => expect(transport.health().state).toBe('connecting'), patience)
    }
    await proxy.heal()
    await expectProgress(witness, 100)
    await stop()
    await expectKept(witness)
    await expectEmpty(consumer, queue)
    await expectUp(producer, consumer)
    // What was on its way had no answer.
    expect(witness.unknown.size).toBeGreaterThan(0)
    await Promise.all([producer.close(), consumer.close()])
    await vi.waitFor(() => expect(proxy.connections).toBe(0), patience)
    await proxy.close()
  })
})
