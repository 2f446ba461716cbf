import assert from 'node:assert/strict'
import { fixed } from '@posthorn/transport'
import type { Area } from '../behaviour.ts'

export const handlerTimeouts: Area = {
  title: 'Handlers that run out of time',
  behaviours: [
    {
      id: '53',
      sentence:
        'Given a handler that runs out of its time, then its slot stays taken until it ends, and its late result settles nothing',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const events = bench.events(transport)
        const gate = bench.gate()
        const seen = bench.record()
        const consumer = await transport.consume(
          queue,
          seen.handler(async ({ data, attempt }) => {
            if (data === 'slow' && attempt === 1) await gate.opened
          }),
          { concurrency: 1, handlerTimeoutMs: 1_000, retryDelay: fixed(1_000) },
        )
        await transport.send(queue, { data: 'slow', id: 'order-1' })
        await bench.until('the handler runs', () => seen.running === 1)
        await transport.send(queue, { data: 'next' })
        await bench.until('it runs out of time', () => events.of('handlerTimedOut').length > 0)
        const [call] = seen.calls
        assert.equal(call?.context.signal.aborted, true)
        await bench.advance(3_000)
        assert.equal(seen.calls.length, 1, 'the slot is taken')
        const { state, abandoned, running } = consumer.health()
        assert.deepEqual({ state, abandoned, running }, { state: 'down', abandoned: 1, running: 1 })
        assert.equal(transport.health().state, 'down')
        gate.open()
        await bench.until('everything is handled', () => seen.calls.length >= 3)
        await bench.quiet()
        assert.deepEqual(
          seen.of('slow').map((one) => one.attempt),
          [1, 2],
        )
        assert.deepEqual(
          seen.of('next').map((one) => one.attempt),
          [1],
        )
        assert.equal(events.of('handlerTimedOut').length, 1)
        assert.equal(events.of('retried').length, 1)
        assert.equal(consumer.health().state, 'up')
      },
    },
    {
      id: '53b',
      sentence:
        'Given order by key and a handler that runs out of its time, then its key stays taken until it ends',
      needs: { features: ['keyOrder', 'holdKey'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await bench.declareKeyed(transport, queue)
        const events = bench.events(transport)
        const gate = bench.gate()
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(async ({ data, attempt }) => {
            if (data === 'a1' && attempt === 1) await gate.opened
          }),
          { order: 'key', concurrency: 5, prefetch: 50, handlerTimeoutMs: 1_000, retryDelay: fixed(1_000) },
        )
        await transport.sendMany(queue, [
          { data: 'a1', key: 'a' },
          { data: 'a2', key: 'a' },
          { data: 'b1', key: 'b' },
        ])
        await bench.until('it runs out of time', () => events.of('handlerTimedOut').length > 0)
        await bench.advance(5_000)
        assert.deepEqual(
          seen.words,
          ['a1', 'b1'],
          'nothing of the key runs beside the handler that has not ended',
        )
        gate.open()
        await bench.until('everything is handled', () => seen.calls.length >= 4)
        await bench.quiet()
        assert.deepEqual(
          seen.calls
            .filter((call) => call.message.key === 'a')
            .map((call) => `${String(call.data)} ${call.attempt}`),
          ['a1 1', 'a1 2', 'a2 1'],
        )
      },
    },
  ],
}
