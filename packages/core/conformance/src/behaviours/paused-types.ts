import assert from 'node:assert/strict'
import { numbers } from '../bench/numbers.ts'
import type { Bench } from '../bench/bench.ts'
import type { Area } from '../behaviour.ts'

/** Whether this broker can pause single types without spending anything, so that the transport does. */
const pausesTypes = (bench: Bench): boolean => bench.has('uncountedPostpone') && bench.has('delayedRetry')

export const pausedTypes: Area = {
  title: 'Paused types',
  behaviours: [
    {
      id: '72',
      sentence:
        'Given a paused type, then the others flow, nothing of it is lost, and its attempts are unspent',
      extraMs: 120_000,
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const events = bench.events(transport)
        const seen = bench.record()
        const consumer = await transport.consume(queue, seen.handler(), { concurrency: 4, prefetch: 8 })
        consumer.pause({ types: ['slow'] })
        await transport.sendMany(
          queue,
          numbers(40).map((data) => ({ data, type: data % 2 === 0 ? 'slow' : 'fast' })),
        )
        const paused = events.of('paused').map((event) => event.types)
        if (pausesTypes(bench)) {
          assert.deepEqual(paused, [['slow']])
          await bench.until('the other type is handled', () => seen.calls.length >= 20)
          await bench.quiet()
          assert.deepEqual(
            seen.sorted,
            numbers(40).filter((data) => data % 2 === 1),
          )
        } else {
          assert.deepEqual(paused, [undefined], 'the whole source is paused, and says so')
          await bench.quiet()
          assert.equal(seen.calls.length, 0)
        }
        consumer.resume({ types: ['slow'] })
        await bench.until('all are handled', () => seen.calls.length >= 40, 120_000)
        await bench.quiet()
        assert.deepEqual(seen.sorted, numbers(40))
        bench.checkUnspent(seen.calls)
        assert.equal(await transport.deadLetters(queue).count(), 0)
      },
    },
    {
      id: '72b',
      sentence:
        'Given a paused type and order by key, then the whole source is paused, with an event, so that the order is kept',
      needs: { features: ['keyOrder'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await bench.declareKeyed(transport, queue)
        const events = bench.events(transport)
        const seen = bench.record()
        const consumer = await transport.consume(queue, seen.handler(), {
          order: 'key',
          whileRetrying: bench.has('holdKey') ? 'hold-key' : 'overtake',
        })
        consumer.pause({ types: ['slow'] })
        await transport.sendMany(
          queue,
          numbers(20).map((data) => ({ data, key: 'a', type: data % 2 === 0 ? 'slow' : 'fast' })),
        )
        await bench.quiet()
        assert.equal(seen.calls.length, 0)
        assert.deepEqual(
          events.of('paused').map((event) => event.types),
          [undefined],
        )
        consumer.resume({ types: ['slow'] })
        await bench.until('all are handled', () => seen.calls.length >= 20)
        await bench.quiet()
        assert.deepEqual(seen.data, numbers(20))
        bench.checkUnspent(seen.calls)
      },
    },
    {
      id: '73',
      sentence:
        'Given 10,000 messages of a paused type ahead of 100 of another, then all 100 are handled, and the paused cost two hand-outs a minute at most',
      extraMs: 480_000,
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const seen = bench.record()
        const consumer = await transport.consume(queue, seen.handler(), { concurrency: 10, prefetch: 100 })
        consumer.pause({ types: ['slow'] })
        const startedAt = bench.now()
        await transport.sendMany(
          queue,
          numbers(10_000).map((data) => ({ data, type: 'slow' })),
        )
        await transport.sendMany(
          queue,
          numbers(100).map((data) => ({ data: 10_000 + data, type: 'fast' })),
        )
        if (pausesTypes(bench)) {
          await bench.until('all 100 are handled', () => seen.calls.length >= 100, 240_000)
          await bench.advance(bench.virtual ? 300_000 : 1_000)
          assert.deepEqual(
            seen.sorted,
            numbers(100).map((data) => 10_000 + data),
          )
        } else {
          await bench.advance(1_000)
          assert.equal(seen.calls.length, 0)
        }
        const minutes = Math.ceil((bench.now() - startedAt) / 60_000)
        consumer.resume({ types: ['slow'] })
        // Those that were released come again within the longest delay of a release, a minute.
        await bench.until('the paused ones are handled', () => seen.calls.length >= 10_100, 240_000)
        await bench.quiet()
        assert.deepEqual(seen.sorted, numbers(10_100))
        bench.checkUnspent(seen.calls)
        const handOuts = seen.calls.reduce((most, call) => Math.max(most, call.deliveries), 0)
        assert.ok(handOuts <= 1 + 2 * minutes, `${handOuts} hand-outs of one message in ${minutes} minutes`)
        assert.equal(await transport.deadLetters(queue).count(), 0)
      },
    },
  ],
}
