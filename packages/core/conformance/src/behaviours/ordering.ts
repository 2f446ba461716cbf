import assert from 'node:assert/strict'
import { fixed, type Consumer } from '@posthorn/transport'
import { numbers } from '../bench/numbers.ts'
import type { Area } from '../behaviour.ts'

export const ordering: Area = {
  title: 'Order by key',
  behaviours: [
    {
      id: '29',
      sentence: 'Given an ordering key and several consumers, then first attempts start in publish order',
      needs: { features: ['keyOrder'] },
      async run(bench) {
        const queue = bench.name('orders')
        const processes = await Promise.all([bench.open(), bench.open()])
        const [sender] = processes
        await bench.declareKeyed(sender, queue)
        const seen = bench.record()
        const running = new Map<string, number>()
        let overlaps = 0
        for (const transport of processes) {
          await transport.consume(
            queue,
            seen.handler(async ({ message, data }) => {
              const key = message.key ?? ''
              running.set(key, (running.get(key) ?? 0) + 1)
              if ((running.get(key) ?? 0) > 1) overlaps += 1
              // The later ones are faster, and would overtake if they could.
              await bench.pause(30 - ((data as number) % 30))
              running.set(key, (running.get(key) ?? 0) - 1)
            }),
            { order: 'key', concurrency: 5, whileRetrying: bench.has('holdKey') ? 'hold-key' : 'overtake' },
          )
        }
        const keys = ['a', 'b', 'c', 'd', 'e']
        await sender.sendMany(
          queue,
          numbers(150).map((data) => ({ data, key: keys[data % keys.length] ?? '' })),
        )
        await bench.until('all are handled', () => seen.calls.length >= 150)
        await bench.quiet()
        assert.equal(seen.calls.length, 150)
        assert.equal(overlaps, 0, 'no two handlers of one key run at a time')
        for (const [index, key] of keys.entries()) {
          assert.deepEqual(
            seen.calls.filter((call) => call.message.key === key).map((call) => call.data),
            numbers(30).map((step) => step * keys.length + index),
          )
        }
      },
    },
    {
      id: '29b',
      sentence:
        'Given an ordering key and several consumers, then each has a part of the keys, also after one has joined or left',
      needs: { features: ['keyOrder', 'keyBalance'] },
      extraMs: 60_000,
      async run(bench) {
        const queue = bench.name('orders')
        const sender = await bench.open()
        await bench.declareKeyed(sender, queue)
        const seen = bench.record()
        const keys = numbers(60).map((index) => `key-${index}`)
        const join = async (name: string): Promise<Consumer> => {
          const transport = await bench.open()
          const respond = (): Promise<void> => bench.pause(20)
          const whileRetrying = bench.has('holdKey') ? 'hold-key' : 'overtake'
          return transport.consume(queue, seen.handler(respond, name), {
            order: 'key',
            concurrency: 10,
            whileRetrying,
          })
        }
        /** A consumer that has just come or gone changes who has what within a few rounds. */
        const sharedBy = async (...names: readonly string[]): Promise<void> => {
          let found: readonly string[] = []
          for (let round = 0; round < 40; round += 1) {
            const before = seen.calls.length
            await sender.sendMany(
              queue,
              keys.map((key) => ({ data: round, key })),
            )
            await bench.until('a round is handled', () => seen.calls.length >= before + keys.length)
            found = [...new Set(seen.calls.slice(before).map(({ by }) => by))].toSorted()
            if (found.join() === names.toSorted().join()) return
            await bench.advance(500)
          }
          assert.deepEqual(found, names.toSorted(), 'each has a part of the keys')
        }
        const first = await join('first')
        await sharedBy('first')
        await join('second')
        await sharedBy('first', 'second')
        await join('third')
        await sharedBy('first', 'second', 'third')
        await first.stop()
        await sharedBy('second', 'third')
      },
    },
    {
      id: '30',
      sentence: 'Given `block` and a failing message k, then k+1 of that key waits while other keys progress',
      needs: { features: ['keyOrder', 'holdKey'] },
      async run(bench) {
        const queue = bench.name('orders')
        const processes = await Promise.all([bench.open(), bench.open()])
        const [sender] = processes
        await bench.declareKeyed(sender, queue)
        const seen = bench.record()
        for (const transport of processes) {
          await transport.consume(
            queue,
            seen.handler(({ data, attempt }) => {
              if (data === 'a0' && attempt < 3) throw new Error('again')
            }),
            { order: 'key', concurrency: 4, prefetch: 40, retryDelay: fixed(2_000) },
          )
        }
        const names = ['a', 'b', 'c']
        await sender.sendMany(
          queue,
          numbers(4).flatMap((step) => names.map((key) => ({ data: `${key}${step}`, key }))),
        )
        await bench.until('all are handled', () => seen.calls.length >= 14)
        await bench.quiet()
        const inOrder = (key: string): string[] =>
          seen.calls
            .filter((call) => call.message.key === key)
            .map((call) => `${String(call.data)} ${call.attempt}`)
        assert.deepEqual(inOrder('a'), ['a0 1', 'a0 2', 'a0 3', 'a1 1', 'a2 1', 'a3 1'])
        for (const key of ['b', 'c'])
          assert.deepEqual(
            inOrder(key),
            numbers(4).map((step) => `${key}${step} 1`),
          )
        const secondAttempt = seen.of('a0')[1]?.startedAt ?? 0
        const others = seen.calls.filter((call) => call.message.key !== 'a')
        assert.ok(
          others.every((call) => call.startedAt < secondAttempt),
          'the other keys do not wait for it',
        )
      },
    },
    {
      id: '30d',
      sentence:
        'Given `overtake`, then a failing message does not hold its key, and every message is still handled',
      needs: { features: ['keyOrder'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await bench.declareKeyed(transport, queue)
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(({ data, attempt }) => {
            if (data === 0 && attempt === 1) throw new Error('again')
          }),
          { order: 'key', whileRetrying: 'overtake', concurrency: 4, prefetch: 40, retryDelay: fixed(5_000) },
        )
        await transport.sendMany(
          queue,
          numbers(4).map((data) => ({ data, key: 'a' })),
        )
        await bench.until('all are handled', () => seen.calls.length >= 5)
        await bench.quiet()
        const order = seen.calls.map((call) => `${String(call.data)} ${call.attempt}`)
        if (bench.has('delayedRetry')) assert.deepEqual(order, ['0 1', '1 1', '2 1', '3 1', '0 2'])
        else assert.deepEqual(order.toSorted(), ['0 1', '0 2', '1 1', '2 1', '3 1'])
      },
    },
    {
      id: '30e',
      sentence: 'Given a message of a key that is dead-lettered, then the next one of its key goes on',
      needs: { features: ['keyOrder', 'holdKey'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await bench.declareKeyed(transport, queue)
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(({ data }) => {
            if (data === 0) throw new Error('never')
          }),
          { order: 'key', concurrency: 4, maxAttempts: 2, retryDelay: fixed(1_000) },
        )
        await transport.sendMany(
          queue,
          numbers(3).map((data) => ({ data, key: 'a' })),
        )
        await bench.until('all are handled', () => seen.calls.length >= 4)
        await bench.quiet()
        assert.deepEqual(seen.data, [0, 0, 1, 2])
        assert.equal(await transport.deadLetters(queue).count(), 1)
      },
    },
    {
      id: '60',
      sentence: 'Given messages without a key, then a consumer with order by key handles them side by side',
      needs: { features: ['keyOrder'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await bench.declareKeyed(transport, queue)
        const gate = bench.gate()
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(() => gate.opened),
          {
            order: 'key',
            concurrency: 6,
            prefetch: 60,
            whileRetrying: bench.has('holdKey') ? 'hold-key' : 'overtake',
          },
        )
        await transport.sendMany<unknown>(queue, [
          ...numbers(4).map((data) => ({ data })),
          { data: 'a0', key: 'a' },
          { data: 'a1', key: 'a' },
        ])
        await bench.until('five handlers run', () => seen.running === 5)
        await bench.advance(300)
        assert.equal(seen.running, 5)
        assert.equal(seen.of('a1').length, 0)
        gate.open()
        await bench.until('all are handled', () => seen.calls.length >= 6)
        await bench.quiet()
        assert.equal(seen.calls.length, 6)
      },
    },
    {
      id: '60b',
      sentence: 'Given messages given back in place, then the next consumer gets them in their old order',
      needs: { features: ['releaseInPlace'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const gate = bench.gate()
        const first = bench.record()
        await transport.sendMany(
          queue,
          numbers(30).map((data) => ({ data, key: 'a' })),
        )
        const consumer = await transport.consume(
          queue,
          first.handler(() => gate.opened),
          { concurrency: 1, prefetch: 10 },
        )
        await bench.until('the first handler runs', () => first.running === 1)
        await bench.advance(300)
        gate.open()
        const report = await consumer.stop()
        const begun = first.calls.length
        assert.deepEqual(report.unfinished, [])
        const rest = bench.record()
        const other = await bench.open()
        await other.consume(queue, rest.handler(), { concurrency: 1 })
        await bench.until('all are handled', () => begun + rest.calls.length >= 30)
        await bench.quiet()
        assert.deepEqual([...first.data, ...rest.data], numbers(30))
      },
    },
  ],
}
