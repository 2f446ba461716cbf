import assert from 'node:assert/strict'
import { fixed } from '@posthorn/transport'
import type { Area } from '../behaviour.ts'

export const deduplication: Area = {
  title: 'Deduplication',
  behaviours: [
    {
      id: '34',
      sentence: 'Given the same dedupe id within the window, then one delivery',
      needs: { features: ['deduplication'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const windowMs = Math.min(
          bench.capabilities.features.deduplication.limits?.['windowMs'] ?? Infinity,
          60_000,
        )
        await transport.declare({ queues: [{ name: queue, deduplicationWindowMs: windowMs }] })
        const seen = bench.record()
        await transport.consume(queue, seen.handler())
        await transport.send(queue, { data: 'first', id: 'order-1' })
        await transport.send(queue, { data: 'second', id: 'order-1' })
        const other = await bench.open()
        await other.sendMany(queue, [
          { data: 'third', id: 'order-1' },
          { data: 'different', id: 'order-2' },
        ])
        await bench.until('both arrive', () => seen.calls.length >= 2)
        await bench.advance(1_000)
        assert.deepEqual(seen.words, ['different', 'first'])
        if (!bench.virtual) return
        await bench.advance(windowMs)
        await transport.send(queue, { data: 'after the window', id: 'order-1' })
        await bench.until('it arrives', () => seen.calls.length >= 3)
        await bench.quiet()
        assert.equal(seen.calls.length, 3)
      },
    },
    {
      id: '34b',
      sentence:
        "Given deduplication, then it swallows none of the broker's or the transport's own copies: retry, release, replay",
      needs: { features: ['deduplication'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await transport.declare({ queues: [{ name: queue, deduplicationWindowMs: 60_000 }] })
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(({ context, message }) => {
            if (message.replays > 0) return 'done'
            if (seen.calls.length === 1) return context.release({ delayMs: 500 })
            if (seen.calls.length < 4) throw new Error('again')
            return context.deadLetter({ reason: 'no' })
          }),
          { retryDelay: fixed(1_000) },
        )
        await transport.send(queue, { data: 'a', id: 'order-1' })
        await bench.deadLetters(transport, queue, 1)
        await transport.deadLetters(queue).replay('all')
        await bench.until('it is replayed', () => seen.calls.length >= 5)
        await bench.quiet()
        assert.deepEqual(
          seen.calls.map((call) => `${call.id} ${call.message.replays}`),
          ['order-1 0', 'order-1 0', 'order-1 0', 'order-1 0', 'order-1 1'],
        )
        bench.checkAttempts(seen.calls, [1, 1, 2, 3, 1])
      },
    },
  ],
}
