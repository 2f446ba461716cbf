import { fixed } from '@posthorn/transport'
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

describe(`RabbitMQ ${version}, down for a while`, () => {
  const bench = withRabbitmq()

  test(
    'killed with -9 under load, it has all that it confirmed, once it is there again',
    { timeout: 120_000 },
    async () => {
      const witness = new Witness()
      const options = { clock: eagerClock, sendTimeoutMs: 5_000 }
      const [producer, consumer] = [await bench.open(options), await bench.open(options)]
      const queue = bench.name('orders')
      await consumer.consume(queue, failingAtTimes(witness), { concurrency: 50, retryDelay: fixed(20) })
      await bench.server.sync()
      const stop = startLoad(producer, queue, witness)
      for (let kills = 1; kills <= 2; kills += 1) {
        await expectProgress(witness, 200)
        await bench.server.kill()
        await bench.server.restart()
      }
      await expectProgress(witness, 200)
      await stop()
      await expectKept(witness)
      await expectEmpty(consumer, queue)
      await expectUp(producer, consumer)
      // The fault was felt.
      expect(witness.unknown.size).toBeGreaterThan(0)
    },
  )

  test(
    'frozen for longer than the heartbeat, it is taken for gone, and used again when it goes on',
    { timeout: 60_000 },
    async () => {
      const witness = new Witness()
      const options = { clock: eagerClock, heartbeatS: 1, sendTimeoutMs: 4_000 }
      const [producer, consumer] = [await bench.open(options), await bench.open(options)]
      const queue = bench.name('orders')
      await consumer.consume(queue, failingAtTimes(witness), { concurrency: 50, retryDelay: fixed(20) })
      const stop = startLoad(producer, queue, witness)
      await expectProgress(witness, 200)
      bench.server.pause()
      try {
        for (const transport of [producer, consumer]) {
          await vi.waitFor(() => expect(transport.health().state).toBe('connecting'), patience)
        }
        expect(witness.unknown.size).toBeGreaterThan(0)
        const waiting = producer.send(queue, { id: 'waiting', data: 1 }, { timeoutMs: 100 })
        await expect(waiting).rejects.toMatchObject({ code: 'POSTHORN_TIMEOUT', outcome: 'rejected' })
      } finally {
        bench.server.resume()
      }
      await expectProgress(witness, 200)
      await stop()
      await expectKept(witness)
      await expectEmpty(consumer, queue)
      await expectUp(producer, consumer)
      expect(witness.handled.has('waiting')).toBe(false)
    },
  )
})
