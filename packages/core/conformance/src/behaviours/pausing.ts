import assert from 'node:assert/strict'
import { numbers } from '../bench/numbers.ts'
import type { Area } from '../behaviour.ts'

export const pausing: Area = {
  title: 'Pausing',
  behaviours: [
    {
      id: '26',
      sentence: 'Given pause, then no handler starts, nothing is lost, attempts are unspent',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const events = bench.events(transport)
        const gate = bench.gate()
        const seen = bench.record()
        const consumer = await transport.consume(
          queue,
          seen.handler(() => gate.opened),
          { concurrency: 2, prefetch: 10 },
        )
        await transport.sendMany(
          queue,
          numbers(20).map((data) => ({ data })),
        )
        await bench.until('two handlers run', () => seen.running === 2)
        consumer.pause()
        assert.equal(consumer.health().state, 'paused')
        gate.open()
        await bench.until('the running ones end', () => seen.running === 0)
        await bench.quiet()
        assert.equal(seen.calls.length, 2, 'no handler starts while it is paused')
        const { waiting } = consumer.health()
        assert.equal(waiting, 0, 'what has not begun is given back')
        consumer.resume()
        assert.equal(consumer.health().state, 'up')
        await bench.until('all are handled', () => seen.calls.length >= 20)
        await bench.quiet()
        assert.deepEqual(seen.sorted, numbers(20))
        bench.checkUnspent(seen.calls)
        assert.equal(events.of('paused').length, 1)
        assert.equal(events.of('resumed').length, 1)
        assert.equal(await transport.deadLetters(queue).count(), 0)
      },
    },
    {
      id: '26b',
      sentence: 'Given a paused consumer, then another one of the same queue gets what it does not take',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const gate = bench.gate()
        const seen = bench.record()
        const consumer = await transport.consume(
          queue,
          seen.handler(() => gate.opened, 'paused'),
          { concurrency: 1, prefetch: 10 },
        )
        await transport.sendMany(
          queue,
          numbers(10).map((data) => ({ data })),
        )
        await bench.until('the first handler runs', () => seen.running === 1)
        await bench.advance(200)
        consumer.pause()
        const other = await bench.open()
        await other.consume(queue, seen.handler(undefined, 'other'))
        if (bench.sharesMessages)
          await bench.until('the other one has the rest', () => seen.by('other').length >= 9)
        else await bench.until('the other one has a part', () => seen.by('other').length > 0)
        gate.open()
        await bench.advance(1_000)
        consumer.resume()
        await bench.quiet()
        assert.deepEqual(seen.sorted, numbers(10))
        bench.checkUnspent(seen.calls)
      },
    },
    {
      id: '72c',
      sentence:
        'Given a middleware that pauses a type, then it counts for its consumer, and as many resumes end it',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const seen = bench.record()
        let pause = (): void => undefined
        let resume = (): void => undefined
        await transport.consume(queue, seen.handler(), {
          use: [
            {
              name: 'breaker',
              phase: 'guard',
              wrap(next, runtime) {
                pause = () => runtime.pause(['fragile'])
                resume = () => runtime.resume(['fragile'])
                return next
              },
            },
          ],
        })
        await transport.send(queue, { data: 'before', type: 'sound' })
        await bench.until('the first is handled', () => seen.calls.length === 1)
        pause()
        pause()
        await transport.send(queue, { data: 'a', type: 'fragile' })
        await bench.advance(2_000)
        resume()
        await bench.quiet()
        assert.equal(seen.calls.length, 1, 'two pauses need two resumes')
        resume()
        await bench.until('it is handled', () => seen.calls.length > 1)
        await bench.quiet()
        assert.deepEqual(seen.data, ['before', 'a'])
        bench.checkUnspent(seen.calls)
      },
    },
    {
      id: '72d',
      sentence:
        'Given a middleware that allows so many starts, then so many handlers start and no more until it allows others',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const seen = bench.record()
        let allow: (starts: number) => void = () => undefined
        const consumer = await transport.consume(queue, seen.handler(), {
          concurrency: 4,
          use: [
            {
              name: 'limit',
              phase: 'guard',
              wrap(next, runtime) {
                allow = (starts) => runtime.allow(starts)
                return next
              },
            },
          ],
        })
        allow(0)
        await transport.sendMany(
          queue,
          numbers(20).map((data) => ({ data })),
        )
        await bench.quiet()
        assert.equal(seen.calls.length, 0)
        allow(3)
        await bench.until('three are handled', () => seen.calls.length >= 3)
        await bench.quiet()
        assert.equal(seen.calls.length, 3)
        allow(5)
        await bench.until('five more are handled', () => seen.calls.length >= 8)
        await bench.quiet()
        assert.equal(seen.calls.length, 8)
        const { running, waiting } = consumer.health()
        assert.ok(running + waiting <= 4)
        allow(Infinity)
        await bench.until('all are handled', () => seen.calls.length >= 20)
        await bench.quiet()
        assert.deepEqual(seen.sorted, numbers(20))
        bench.checkUnspent(seen.calls)
      },
    },
  ],
}
