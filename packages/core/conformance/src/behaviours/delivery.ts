import assert from 'node:assert/strict'
import { numbers } from '../bench/numbers.ts'
import type { Area } from '../behaviour.ts'

export const delivery: Area = {
  title: 'Consumers of a queue',
  behaviours: [
    {
      id: '20',
      sentence: 'Given n consumers in a group and no failures, then each message is handled once in total',
      async run(bench) {
        const queue = bench.name('orders')
        const seen = bench.record()
        const processes = await Promise.all(numbers(3).map(() => bench.open()))
        const [sender] = processes
        assert.ok(sender !== undefined)
        for (const [index, transport] of processes.entries()) {
          await transport.consume(
            queue,
            seen.handler(() => bench.pause(1), `process ${index}`),
          )
        }
        await sender.sendMany(
          queue,
          numbers(3_000).map((data) => ({ data })),
        )
        await bench.until('all are handled', () => seen.calls.length >= 3_000)
        await bench.quiet()
        assert.deepEqual(seen.sorted, numbers(3_000))
        bench.checkUnspent(seen.calls)
        for (const index of numbers(3))
          assert.ok(seen.by(`process ${index}`).length > 0, `process ${index} had a share`)
      },
    },
    {
      id: '25',
      sentence: 'Given concurrency n, then never more than n handlers run, also after a live change',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await transport.sendMany(
          queue,
          numbers(40).map((data) => ({ data })),
        )
        const gates = numbers(40).map(() => bench.gate())
        const seen = bench.record()
        const consumer = await transport.consume(
          queue,
          seen.handler(({ data }) => gates[data as number]?.opened),
          { concurrency: 3, prefetch: 30 },
        )
        const settle = async (what: string, running: number): Promise<void> => {
          await bench.until(what, () => seen.running === running)
          await bench.advance(300)
          assert.equal(seen.running, running, what)
        }
        const end = (count: number): void => {
          const running = seen.calls.filter((call) => call.endedAt === undefined)
          for (const call of running.slice(0, count)) gates[call.data as number]?.open()
        }
        await settle('three handlers run', 3)
        assert.equal(consumer.concurrency, 3)
        consumer.setConcurrency(5)
        await settle('five handlers run', 5)
        assert.equal(consumer.concurrency, 5)
        consumer.setConcurrency(2)
        end(1)
        await settle('four are still running, and no further one begins', 4)
        end(4)
        await settle('two handlers run', 2)
        assert.equal(seen.peak, 5)
        for (const gate of gates) gate.open()
        await bench.until('all are handled', () => seen.calls.length >= 40)
        await bench.quiet()
        assert.deepEqual(seen.sorted, numbers(40))
        assert.equal(seen.peak, 5)
      },
    },
    {
      id: '27',
      sentence: 'Given a 10,000 backlog and a slow handler, then client-held messages stay within the bound',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await transport.sendMany(
          queue,
          numbers(10_000).map((data) => ({ data })),
        )
        let step = bench.gate()
        const seen = bench.record()
        const consumer = await transport.consume(
          queue,
          seen.handler(() => step.opened),
          { concurrency: 5, prefetch: 20 },
        )
        for (let round = 0; round < 5; round += 1) {
          await bench.until('five handlers run', () => seen.running === 5)
          await bench.advance(200)
          const { running, waiting } = consumer.health()
          assert.equal(running, 5)
          assert.ok(running + waiting <= 20, `${running + waiting} messages are held, with a prefetch of 20`)
          const depth = await transport.depth(queue)
          assert.ok((depth.inFlight ?? 0) <= 20, `the broker has handed out ${depth.inFlight}`)
          assert.ok((depth.ready ?? 10_000) >= 10_000 - 20 - 5 * round)
          const last = step
          step = bench.gate()
          last.open()
          const handled = 5 * (round + 1)
          await bench.until('the next five have begun', () => seen.calls.length >= handled + 5)
        }
        assert.equal(seen.peak, 5)
      },
    },
    {
      id: '54',
      sentence:
        'Given a consumer that was stopped, when another is started on the same transport, then it goes on',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const seen = bench.record()
        for (let round = 0; round < 3; round += 1) {
          const consumer = await transport.consume(queue, seen.handler(undefined, `round ${round}`))
          await transport.sendMany(
            queue,
            numbers(10, round * 10).map((data) => ({ data })),
          )
          await bench.until('all of the round are handled', () => seen.by(`round ${round}`).length >= 10)
          const report = await consumer.stop()
          assert.deepEqual(report, { source: queue, released: 0, unfinished: [] })
          assert.deepEqual(await consumer.stop(), report)
          assert.equal(consumer.health().state, 'stopped')
        }
        await bench.quiet()
        assert.deepEqual(seen.sorted, numbers(30))
        assert.deepEqual(transport.health().consumers, [])
      },
    },
    {
      id: '56',
      sentence: 'Given two namespaces on one broker, then neither sees what the other has',
      async run(bench) {
        const queue = bench.name('orders')
        const topic = bench.name('events')
        const [a, b] = [await bench.open({ namespace: 'a' }), await bench.open({ namespace: 'b' })]
        const seenA = bench.record()
        const seenB = bench.record()
        await a.consume(queue, seenA.handler())
        await b.consume(queue, seenB.handler())
        await a.subscribe(topic, seenA.handler(), { group: 'all' })
        await b.subscribe(topic, seenB.handler(), { group: 'all' })
        await a.send(queue, { data: 'a' })
        await b.send(queue, { data: 'b' })
        await a.publish(topic, { data: 'a' })
        await b.publish(topic, { data: 'b' })
        await bench.until('both have theirs', () => seenA.calls.length >= 2 && seenB.calls.length >= 2)
        await bench.quiet()
        assert.deepEqual(seenA.data, ['a', 'a'])
        assert.deepEqual(seenB.data, ['b', 'b'])
      },
    },
  ],
}
