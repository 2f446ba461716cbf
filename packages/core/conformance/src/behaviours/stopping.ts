import assert from 'node:assert/strict'
import { fixed } from '@posthorn/transport'
import { numbers } from '../bench/numbers.ts'
import { untilAborted } from '../bench/until-aborted.ts'
import type { Area } from '../behaviour.ts'

export const stopping: Area = {
  title: 'Consumers that are stopped',
  behaviours: [
    {
      id: '74',
      sentence: 'Given a shutdown with a full window, then no attempt is spent',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const maxAttempts = bench.countsFailures ? 1 : 5
        const first = bench.record()
        await transport.consume(
          queue,
          first.handler(({ context }) => untilAborted(context.signal)),
          { concurrency: 10, prefetch: 100, maxAttempts },
        )
        await transport.sendMany(
          queue,
          numbers(150).map((data) => ({ data })),
        )
        await bench.until('ten handlers run', () => first.running === 10)
        await bench.advance(300)
        const report = await transport.close({ deadlineMs: 500 })
        assert.equal(report.consumers[0]?.unfinished.length, 10)
        const other = await bench.open()
        const events = bench.events(other)
        const seen = bench.record()
        await other.consume(queue, seen.handler(), { maxAttempts, concurrency: 50 })
        await bench.until('all come again', () => seen.calls.length >= 150)
        await bench.quiet()
        assert.deepEqual(seen.sorted, numbers(150))
        bench.checkUnspent(seen.calls)
        if (bench.has('uncountedRelease')) assert.deepEqual(events.of('suspect'), [])
        assert.equal(await other.deadLetters(queue).count(), 0)
      },
    },
    {
      id: '74b',
      sentence:
        'Given more closes with a full window than `maxDeliveries`, then they do not look like crashes',
      needs: { features: ['uncountedClose'] },
      async run(bench) {
        const queue = bench.name('orders')
        const sender = await bench.open()
        await sender.sendMany(
          queue,
          numbers(20).map((data) => ({ data })),
        )
        let suspects = 0
        for (let round = 0; round < 6; round += 1) {
          const transport = await bench.open()
          transport.on('suspect', () => {
            suspects += 1
          })
          const busy = bench.record()
          await transport.consume(
            queue,
            busy.handler(({ context }) => untilAborted(context.signal)),
            { concurrency: 2, prefetch: 20, maxDeliveries: 3 },
          )
          await bench.until('two handlers run', () => busy.running === 2)
          await bench.advance(200)
          await transport.close({ deadlineMs: 100 })
        }
        const seen = bench.record()
        await sender.consume(queue, seen.handler(), { maxDeliveries: 3 })
        await bench.until('all are handled', () => seen.calls.length >= 20)
        await bench.quiet()
        assert.deepEqual(seen.sorted, numbers(20))
        bench.checkUnspent(seen.calls)
        assert.equal(suspects, 0)
        assert.equal(await sender.deadLetters(queue).count(), 0)
      },
    },
    {
      id: '75',
      sentence:
        'Given a consumer that is stopped while its handler runs, then the handler ends, its message is settled, and none is handed out after',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const gate = bench.gate()
        const seen = bench.record()
        const consumer = await transport.consume(
          queue,
          seen.handler(async ({ data }) => {
            await gate.opened
            if (data === 0) throw new Error('a failure during the stop')
          }),
          { concurrency: 2, retryDelay: fixed(1_000) },
        )
        await transport.sendMany(
          queue,
          numbers(2).map((data) => ({ data })),
        )
        await bench.until('both handlers run', () => seen.running === 2)
        const stopping = consumer.stop({ deadlineMs: 20_000 })
        await bench.advance(100)
        assert.equal(seen.calls[0]?.context.signal.aborted, false, 'the deadline has not passed')
        gate.open()
        assert.deepEqual(await stopping, { source: queue, released: 0, unfinished: [] })
        const rest = bench.record()
        await transport.consume(queue, rest.handler())
        await bench.until('the failed one comes again', () => rest.calls.length > 0)
        await bench.quiet()
        assert.deepEqual(
          rest.calls.map((call) => `${String(call.data)} ${call.attempt}`),
          ['0 2'],
          'a failure before the deadline is a failure',
        )
        assert.equal(seen.calls.length, 2)
      },
    },
  ],
}
