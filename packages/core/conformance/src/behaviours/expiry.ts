import assert from 'node:assert/strict'
import { fixed } from '@posthorn/transport'
import type { Area } from '../behaviour.ts'

const dayMs = 86_400_000

export const expiry: Area = {
  title: 'Expiry',
  behaviours: [
    {
      id: '32',
      sentence: 'Given expiry passed during retries, then no further attempt, outcome `expired`',
      needs: { features: ['expiry'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const events = bench.events(transport)
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(() => {
            throw new Error('again')
          }),
          { retryDelay: fixed(2_000), maxAttempts: 100 },
        )
        const expiresAt = bench.now() + 5_000
        await transport.send(queue, { data: 'a', id: 'order-1', expiresAt })
        await bench.advance(8_000)
        await bench.quiet()
        assert.ok(seen.calls.length >= 1 && seen.calls.length <= 3, `${seen.calls.length} attempts`)
        if (bench.virtual) assert.deepEqual(seen.attempts, [1, 2, 3])
        for (const call of seen.calls) {
          assert.ok(call.startedAt < expiresAt, 'no attempt after its expiry')
          assert.equal(call.message.expiresAt, expiresAt, 'a retry does not reset it')
        }
        assert.deepEqual(
          events.of('expired').map(({ id, source, expiresAt: at }) => ({ id, source, at })),
          [{ id: 'order-1', source: queue, at: expiresAt }],
        )
        assert.equal(await transport.deadLetters(queue).count(), 0)
      },
    },
    {
      id: '32b',
      sentence:
        'Given a message that expires while it waits in its queue or for a slot, then it is never handed out',
      needs: { features: ['expiry'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const expiresAt = bench.now() + 2_000
        await transport.send(queue, { data: 'expires in the queue', expiresAt })
        await transport.send(queue, { data: 'stays', expiresAt: expiresAt + dayMs })
        await bench.advance(2_500)
        const gate = bench.gate()
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(({ data }) => (data === 'stays' ? gate.opened : undefined)),
          { concurrency: 1, prefetch: 5 },
        )
        await bench.until('the other one is handled', () => seen.calls.length > 0)
        await transport.send(queue, {
          data: 'expires before its slot is free',
          expiresAt: bench.now() + 1_000,
        })
        await bench.advance(1_500)
        gate.open()
        await bench.quiet()
        assert.deepEqual(seen.data, ['stays'])
      },
    },
    {
      id: '32c',
      sentence: 'Given a dead letter that has expired, when it is replayed, then it is not handled',
      needs: { features: ['expiry'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(({ context }) => context.deadLetter({ reason: 'no' })),
        )
        const expiresAt = bench.now() + 3_000
        await transport.send(queue, { data: 'a', expiresAt })
        await bench.deadLetters(transport, queue, 1)
        await bench.advance(4_000)
        // It would be removed without being handled, so it is kept.
        const report = await transport.deadLetters(queue).replay('all')
        assert.deepEqual(report, { kept: 0, replayed: 0, discarded: 0, failed: 1 })
        await bench.quiet()
        assert.deepEqual(seen.data, ['a'])
        assert.equal(await transport.deadLetters(queue).count(), 1)
      },
    },
  ],
}
