import assert from 'node:assert/strict'
import { holdTwice } from '../bench/hold-twice.ts'
import type { Area } from '../behaviour.ts'

export const scopes: Area = {
  title: 'Scopes that are taken back',
  behaviours: [
    {
      id: '52',
      sentence:
        'Given a scope revoked while its handlers run, then they end and settle, and what has not begun is handled elsewhere',
      needs: { faults: ['revoke'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const gate = bench.gate()
        const seen = bench.record()
        const consumer = await transport.consume(
          queue,
          seen.handler(() => gate.opened, 'first'),
          { concurrency: 2, prefetch: 6 },
        )
        const keys = ['a', 'b', 'c', 'd', 'e', 'f']
        await transport.sendMany(
          queue,
          keys.map((key, data) => ({ data, key })),
        )
        await bench.until('two handlers run', () => seen.running === 2)
        await bench.advance(200)
        await bench.faults.revoke(queue)
        await bench.advance(100)
        const { running, waiting } = consumer.health()
        assert.deepEqual({ running, waiting }, { running: 2, waiting: 0 }, 'what has not begun is given back')
        gate.open()
        await bench.until('all are handled', () => seen.calls.length >= 6)
        await bench.quiet()
        assert.deepEqual(seen.sorted, [0, 1, 2, 3, 4, 5])
        bench.checkUnspent(seen.calls)
      },
    },
    {
      id: '52b',
      sentence:
        'Given handlers that outlast the revocation of their scope, then their late settlements settle nothing',
      needs: { faults: ['revoke'] },
      async run(bench) {
        const queue = bench.name('orders')
        const { seen, letGo, fail, events } = await holdTwice(bench, queue, { handlerTimeoutMs: 5_000 })
        const [call] = seen.calls
        await bench.faults.revoke(queue)
        await bench.until('the signal aborts', () => call?.context.signal.aborted === true)
        await bench.until('it is handed out again', () => seen.calls.length === 2)
        letGo()
        await bench.until('the first holder has ended', () => seen.running === 1)
        await bench.advance(1_000)
        fail()
        await bench.until('the second holder gets it again', () => seen.calls.length >= 3)
        await bench.quiet()
        // Its time was over before the scope was taken, and that attempt is spent, or it was taken, and none is.
        const timedOut = events.of('handlerTimedOut').length
        bench.checkAttempts(seen.calls, [1, 1 + timedOut, 2 + timedOut])
        assert.equal(events.of('leaseLost').length, 1 - timedOut)
      },
    },
  ],
}
