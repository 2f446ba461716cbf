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
  untilDone,
  Witness,
} from '@posthorn/test-faults'
import { describe, expect, test, vi } from 'vitest'
import { version, withRabbitmq } from '../with-rabbitmq.ts'

/** As `rabbitmqctl close_all_connections`, many times in a row; a program of its own for each would be slow. */
const closeAllAgainAndAgain =
  '[begin catch rabbit_networking:close_connections(rabbit_networking:connections(), "by the test"), timer:sleep(100) end ' +
  '|| _ <- lists:seq(1, 20)], ok.'

describe(`RabbitMQ ${version}, ending what it was asked for`, () => {
  const bench = withRabbitmq()

  test('connections, again and again under load', { timeout: 60_000 }, async () => {
    const witness = new Witness()
    const options = { clock: eagerClock, sendTimeoutMs: 5_000 }
    const [producer, consumer] = [await bench.open(options), await bench.open(options)]
    let losses = 0
    consumer.on('connection', ({ state }) => (losses += Number(state === 'connecting')))
    const queue = bench.name('orders')
    await consumer.consume(queue, failingAtTimes(witness), { concurrency: 50, retryDelay: fixed(20) })
    const stop = startLoad(producer, queue, witness)
    await expectProgress(witness, 100)
    await bench.server.ctl('eval', closeAllAgainAndAgain)
    await bench.server.ctl('close_all_connections', 'by the test')
    await expectProgress(witness, 100)
    await stop()
    await expectKept(witness)
    await expectEmpty(consumer, queue)
    await expectUp(producer, consumer)
    expect(losses).toBeGreaterThan(5)
  })

  test(
    'a queue under its consumer: it is made again, and what is sent then is handled',
    { timeout: 60_000 },
    async () => {
      // Made again at once by the producer, 3.10 does not always tell the consumer that it was deleted: then it stalls.
      const options = { clock: eagerClock, sendTimeoutMs: 5_000, stallMs: 1_000 }
      const [producer, consumer] = [await bench.open(options), await bench.open(options)]
      const queue = bench.name('orders')
      const witness = new Witness()
      await consumer.consume(queue, witness.handle, { concurrency: 50 })
      let rebuilt = 0
      consumer.on('rebuilt', () => (rebuilt += 1))
      const ofDeletedQueues = new Witness()
      for (let round = 1; round <= 3; round += 1) {
        const stop = startLoad(producer, queue, ofDeletedQueues, `old-${round}`)
        await expectSent(ofDeletedQueues, 100)
        await bench.channel.deleteQueue(queue)
        await vi.waitFor(() => expect(rebuilt).toBe(round), patience)
        await stop()
        await untilDone(() => producer.send(queue, { id: `again-${round}`, data: 1 }))
        await Promise.all(
          Array.from({ length: 50 }, (_, index) =>
            witness.send(producer, queue, { id: `new-${round}-${index}`, data: index }),
          ),
        )
        expect(witness.errors).toEqual([])
        await expectKept(witness)
      }
      expect(ofDeletedQueues.strange).toEqual([])
      expect([...ofDeletedQueues.rejected].filter((id) => witness.handled.has(id))).toEqual([])
      await expectUp(producer, consumer)
    },
  )
})

async function expectSent(witness: Witness, count: number): Promise<void> {
  const before = witness.sent
  await vi.waitFor(() => expect(witness.sent).toBeGreaterThan(before + count), patience)
}
