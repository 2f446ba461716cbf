import assert from 'node:assert/strict'
import { fixed } from '@posthorn/transport'
import { numbers } from '../bench/numbers.ts'
import type { Area } from '../behaviour.ts'

export const heldKeys: Area = {
  title: 'Keys held for a retry',
  behaviours: [
    {
      id: '30b',
      sentence:
        'Given a key that is held for a retry, when its process is killed, then the attempts spent are kept and the order too',
      needs: { features: ['keyOrder', 'holdKey'], faults: ['kill'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await bench.declareKeyed(transport, queue)
        const seen = bench.record()
        const respond = ({ data, attempt }: { readonly data: unknown; readonly attempt: number }): void => {
          if (data === 'a0' && attempt < 4) throw new Error('again')
        }
        const options = { order: 'key', concurrency: 4, maxAttempts: 10, retryDelay: fixed(2_000) } as const
        await transport.consume(queue, seen.handler(respond), options)
        await transport.sendMany(
          queue,
          numbers(3).map((step) => ({ data: `a${step}`, key: 'a' })),
        )
        await bench.until('two attempts are spent', () => seen.calls.length >= 2)
        await bench.advance(500)
        const before = seen.calls.map((call) => `${String(call.data)} ${call.attempt}`)
        await bench.faults.kill(transport)
        const other = await bench.open()
        const after = bench.record()
        await other.consume(queue, after.handler(respond), options)
        await bench.until('all are handled', () => after.of('a2').length > 0)
        await bench.quiet()
        assert.deepEqual(before, ['a0 1', 'a0 2'])
        if (bench.countsFailures) assert.deepEqual(after.data, ['a0', 'a0', 'a1', 'a2'])
        bench.checkAttempts(after.of('a0').slice(0, 1), [3])
        bench.checkUnspent([...after.of('a1'), ...after.of('a2')])
        assert.deepEqual([...new Set(after.data)], ['a0', 'a1', 'a2'])
      },
    },
    {
      id: '30c',
      sentence:
        'Given a key that is held for a retry, when its consumer is closed, then the attempts spent are kept and the order too',
      needs: { features: ['keyOrder', 'holdKey'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await bench.declareKeyed(transport, queue)
        const seen = bench.record()
        const options = { order: 'key', concurrency: 4, maxAttempts: 10, retryDelay: fixed(2_000) } as const
        const respond = ({ data, attempt }: { readonly data: unknown; readonly attempt: number }): void => {
          if (data === 'a0' && attempt < 3) throw new Error('again')
        }
        await transport.consume(queue, seen.handler(respond, 'first'), options)
        await transport.sendMany(
          queue,
          numbers(3).map((step) => ({ data: `a${step}`, key: 'a' })),
        )
        await bench.until('an attempt is spent', () => seen.calls.length >= 1)
        await bench.advance(100)
        await transport.close()
        const other = await bench.open()
        await other.consume(queue, seen.handler(respond, 'second'), options)
        await bench.until('all are handled', () => seen.of('a2').length > 0)
        await bench.quiet()
        if (bench.countsFailures) assert.deepEqual(seen.data, ['a0', 'a0', 'a0', 'a1', 'a2'])
        bench.checkAttempts(seen.of('a0').slice(0, 2), [1, 2])
        bench.checkUnspent([...seen.of('a1'), ...seen.of('a2')])
        assert.deepEqual([...new Set(seen.data)], ['a0', 'a1', 'a2'])
        const [first, second] = seen.calls
        assert.ok((second?.startedAt ?? 0) - (first?.endedAt ?? 0) >= 2_000, 'the delay is kept as well')
      },
    },
    {
      id: '30f',
      sentence:
        'Given a message of a key that fails while its consumer stops, then the key waits for its next attempt elsewhere',
      needs: { features: ['keyOrder', 'holdKey'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await bench.declareKeyed(transport, queue)
        const other = await bench.open()
        const gate = bench.gate()
        const seen = bench.record()
        const options = { order: 'key', concurrency: 4, retryDelay: fixed(2_000) } as const
        await transport.consume(
          queue,
          seen.handler(async () => {
            await gate.opened
            throw new Error('a failure while stopping')
          }),
          options,
        )
        await transport.sendMany(
          queue,
          numbers(3).map((step) => ({ data: `a${step}`, key: 'a' })),
        )
        await bench.until('the first handler runs', () => seen.running === 1)
        await other.consume(queue, seen.handler(), options)
        const closing = transport.close({ deadlineMs: 20_000 })
        await bench.advance(200)
        gate.open()
        const failedAt = bench.now()
        await closing
        await bench.until('all are handled', () => seen.of('a2').length > 0)
        await bench.quiet()
        assert.deepEqual(seen.data, ['a0', 'a0', 'a1', 'a2'])
        bench.checkAttempts(seen.calls, [1, 2, 1, 1])
        assert.ok((seen.calls[1]?.startedAt ?? 0) - failedAt >= 2_000, 'the delay is kept as well')
      },
    },
  ],
}
