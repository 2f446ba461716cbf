import assert from 'node:assert/strict'
import { fixed } from '@posthorn/transport'
import { numbers } from '../bench/numbers.ts'
import type { Area } from '../behaviour.ts'

export const groups: Area = {
  title: 'Groups of a topic',
  behaviours: [
    {
      id: '20b',
      sentence: 'Given a group with several members, then each of its messages is handled once in total',
      async run(bench) {
        const topic = bench.name('events')
        const seen = bench.record()
        const processes = await Promise.all(numbers(2).map(() => bench.open()))
        const [sender] = processes
        assert.ok(sender !== undefined)
        for (const transport of processes)
          await transport.subscribe(topic, seen.handler(), { group: 'billing' })
        await sender.publishMany(
          topic,
          numbers(200).map((data) => ({ data })),
        )
        await bench.until('all are handled', () => seen.calls.length >= 200)
        await bench.quiet()
        assert.deepEqual(seen.sorted, numbers(200))
      },
    },
    {
      id: '21',
      sentence: 'Given two groups, then each gets every message',
      async run(bench) {
        const topic = bench.name('events')
        const transport = await bench.open()
        const billing = bench.record()
        const shipping = bench.record()
        await transport.subscribe(topic, billing.handler(), { group: 'billing' })
        await transport.subscribe(topic, shipping.handler(), { group: 'shipping' })
        await transport.publishMany(
          topic,
          numbers(50).map((data) => ({ data })),
        )
        await bench.until('both have all', () => billing.calls.length >= 50 && shipping.calls.length >= 50)
        await bench.quiet()
        assert.deepEqual(billing.sorted, numbers(50))
        assert.deepEqual(shipping.sorted, numbers(50))
        assert.equal(billing.calls[0]?.context.source, `${topic}/billing`)
      },
    },
    {
      id: '21b',
      sentence:
        'Given a failing handler, then it is retried for its own group only, and the other groups miss nothing',
      async run(bench) {
        const topic = bench.name('events')
        const transport = await bench.open()
        const billing = bench.record()
        const shipping = bench.record()
        await transport.subscribe(
          topic,
          billing.handler(({ attempt }) => {
            if (attempt < 3) throw new Error('again')
          }),
          { group: 'billing', retryDelay: fixed(1_000) },
        )
        const slow = await transport.subscribe(topic, shipping.handler(), {
          group: 'shipping',
          retryDelay: fixed(1_000),
        })
        slow.pause()
        await transport.publishMany(
          topic,
          numbers(5).map((data) => ({ data })),
        )
        await bench.until('billing has retried', () => billing.calls.length >= 15)
        slow.resume()
        await bench.until('shipping has all', () => shipping.calls.length >= 5)
        await bench.quiet()
        assert.deepEqual(shipping.sorted, numbers(5))
        assert.deepEqual(new Set(shipping.attempts), new Set([1]))
        for (const data of numbers(5)) {
          assert.deepEqual(
            billing.of(data).map((call) => call.attempt),
            [1, 2, 3],
          )
        }
      },
    },
    {
      id: '22',
      sentence: 'Given a stopped durable group, when messages arrive, then all are received on resume',
      async run(bench) {
        const topic = bench.name('events')
        const transport = await bench.open()
        const seen = bench.record()
        const consumer = await transport.subscribe(topic, seen.handler(), { group: 'billing' })
        await transport.publish(topic, { data: 0 })
        await bench.until('the first is handled', () => seen.calls.length > 0)
        await consumer.stop()
        const other = await bench.open()
        await other.publishMany(
          topic,
          numbers(20, 1).map((data) => ({ data })),
        )
        await bench.advance(1_000)
        assert.equal(seen.calls.length, 1, 'nothing is handled after the stop')
        await other.subscribe(topic, seen.handler(), { group: 'billing' })
        await bench.until('all are handled', () => seen.calls.length >= 21)
        await bench.quiet()
        assert.deepEqual(seen.sorted, numbers(21))
      },
    },
    {
      id: '22b',
      sentence:
        'Given a group that is declared and has no consumer yet, then what is published from then on waits for it',
      async run(bench) {
        const topic = bench.name('events')
        const transport = await bench.open()
        await transport.publish(topic, { data: -1 })
        await transport.declare({ subscriptions: [{ topic, group: 'billing' }] })
        await transport.publishMany(
          topic,
          numbers(10).map((data) => ({ data })),
        )
        const seen = bench.record()
        await transport.subscribe(topic, seen.handler(), { group: 'billing' })
        await bench.until('all are handled', () => seen.calls.length >= 10)
        await bench.quiet()
        assert.deepEqual(seen.sorted, numbers(10))
      },
    },
    {
      id: '23',
      sentence: 'Given `subscribe` is ready, when publishing the next instant, then the message arrives',
      async run(bench) {
        const topic = bench.name('events')
        const subscriber = await bench.open()
        const publisher = await bench.open()
        await publisher.publish(topic, { data: 'before' })
        const durable = bench.record()
        await subscriber.subscribe(topic, durable.handler(), { group: 'billing' })
        const first = publisher.publish(topic, { data: 'durable' })
        await first
        await bench.until('the durable group has it', () => durable.calls.length > 0)
        const expected = ['durable']
        if (bench.has('ephemeral')) {
          const live = bench.record()
          await subscriber.subscribe(topic, live.handler(), { ephemeral: true })
          await publisher.publish(topic, { data: 'ephemeral' })
          await bench.until('the ephemeral one has it', () => live.calls.length > 0)
          await bench.quiet()
          assert.deepEqual(live.data, ['ephemeral'])
          expected.push('ephemeral')
        }
        await bench.quiet()
        assert.deepEqual(durable.data, expected)
      },
    },
  ],
}
