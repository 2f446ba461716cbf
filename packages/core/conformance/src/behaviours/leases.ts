import assert from 'node:assert/strict'
import { rejection } from '../bench/errors.ts'
import { holdTwice } from '../bench/hold-twice.ts'
import type { Area } from '../behaviour.ts'

export const leases: Area = {
  title: 'Leases',
  behaviours: [
    {
      id: '10',
      sentence:
        'Given the consumer process is killed mid-handler, then another instance receives it within the lease bound',
      needs: { faults: ['kill'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const gate = bench.gate()
        const killed = bench.record()
        await transport.consume(
          queue,
          killed.handler(() => gate.opened),
        )
        await transport.send(queue, { data: 'held', id: 'order-1' })
        await bench.until('the handler runs', () => killed.running === 1)
        const seen = bench.record()
        const other = await bench.open()
        await other.consume(queue, seen.handler())
        await bench.faults.kill(transport)
        const { lease } = bench.capabilities
        const boundMs = (lease.durationMs ?? 60_000) + bench.slackMs
        await bench.until('another instance has it', () => seen.calls.length > 0, boundMs)
        gate.open()
        await bench.quiet()
        assert.deepEqual(seen.ids, ['order-1'])
        // A crash is no failure that anybody recorded; that it was handed out shows in the broker's count.
        bench.checkAttempts(seen.calls, [1])
        if (bench.has('deliveryCount')) assert.equal(seen.calls[0]?.deliveries, 2)
      },
    },
    {
      id: '12',
      sentence: 'Given a second settlement, then it is a typed no-op and settles nothing else',
      needs: { faults: ['dropLeases'] },
      async run(bench) {
        const queue = bench.name('orders')
        const { seen, letGo, fail, events } = await holdTwice(bench, queue)
        await bench.faults.dropLeases(queue)
        await bench.until('it is handed out again', () => seen.calls.length === 2)
        // The first holder acks what is not its own any more.
        letGo()
        await bench.until('the first holder has ended', () => seen.running === 1)
        await bench.advance(1_000)
        fail()
        await bench.until('the second holder gets it again', () => seen.calls.length >= 3)
        await bench.quiet()
        bench.checkAttempts(seen.calls, [1, 1, 2])
        assert.deepEqual(
          events.of('leaseLost').map(({ id, error }) => `${id} ${error.code}`),
          ['order-1 POSTHORN_LEASE_LOST'],
        )
      },
    },
    {
      id: '13',
      sentence: "Given a lost lease, then the handler's signal aborts and late ack yields `LeaseLost`",
      needs: { faults: ['dropLeases'] },
      async run(bench) {
        const queue = bench.name('orders')
        const { seen, letGo, fail, events } = await holdTwice(bench, queue)
        const [call] = seen.calls
        assert.ok(call !== undefined)
        assert.equal(call.context.signal.aborted, false)
        assert.equal(call.context.lease.lost, false)
        await bench.faults.dropLeases(queue)
        const withinMs = (bench.capabilities.lease.durationMs ?? 60_000) + bench.slackMs
        await bench.until('the signal aborts', () => call.context.signal.aborted, withinMs)
        assert.equal(call.context.lease.lost, true)
        letGo()
        await bench.until('it comes again', () => seen.calls.length >= 2)
        fail()
        await bench.until('the second holder gets it again', () => seen.calls.length >= 3)
        await bench.quiet()
        assert.deepEqual(
          events.of('leaseLost').map(({ id, source, error }) => ({ id, source, code: error.code })),
          [{ id: 'order-1', source: queue, code: 'POSTHORN_LEASE_LOST' }],
        )
        bench.checkAttempts(seen.calls, [1, 1, 2])
      },
    },
    {
      id: '14',
      sentence: 'Given a handler outliving the lease, then renewal prevents concurrent redelivery',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const { scope, durationMs } = bench.capabilities.lease
        if (scope === 'session' && durationMs !== undefined) {
          // Such a lease cannot be renewed: a handler that would outlive it is refused.
          const consuming = transport.consume(queue, () => undefined, { handlerTimeoutMs: durationMs + 1 })
          await rejection('consume', consuming, {
            code: 'POSTHORN_UNSUPPORTED',
            mentions: [transport.broker, String(durationMs)],
          })
        }
        // Where a lease has no end, any time is a sample.
        const withinMs = durationMs === undefined ? bench.patienceMs / 2 : 0.9 * durationMs
        const takesMs =
          scope === 'delivery' && durationMs !== undefined ? 3.5 * durationMs : Math.min(60_000, withinMs)
        bench.affords(takesMs, 'outliving the lease')
        const other = await bench.open()
        const seen = bench.record()
        const slow = seen.handler(async () => bench.pause(takesMs))
        await transport.consume(queue, slow, { concurrency: 1 })
        await other.consume(queue, slow, { concurrency: 1 })
        await transport.send(queue, { data: 'slow' })
        await bench.until('it is handled', () => seen.calls[0]?.endedAt !== undefined)
        await bench.quiet()
        assert.deepEqual(seen.data, ['slow'])
        assert.equal(seen.calls[0]?.context.lease.lost, false)
      },
    },
    {
      id: '51',
      sentence:
        'Given deliveries that wait for a slot longer than half a lease, then they are given back unspent, and handled elsewhere',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const { durationMs } = bench.capabilities.lease
        const halfMs = (durationMs ?? 0) / 2
        bench.affords(halfMs, 'half a lease')
        const gate = bench.gate()
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(() => gate.opened, 'busy'),
          { concurrency: 1, prefetch: 3 },
        )
        await transport.sendMany(
          queue,
          [0, 1, 2].map((data) => ({ data })),
        )
        await bench.until('the first handler runs', () => seen.running === 1)
        await bench.advance(500)
        const other = await bench.open()
        await other.consume(queue, seen.handler(undefined, 'free'), { concurrency: 3 })
        if (durationMs !== undefined && bench.sharesMessages) {
          const withinMs = halfMs + 1_000 + bench.slackMs
          await bench.until('the others are handled', () => seen.by('free').length >= 2, withinMs)
        }
        gate.open()
        await bench.quiet()
        assert.deepEqual(seen.sorted, [0, 1, 2])
        bench.checkAttempts(seen.calls, [1, 1, 1])
      },
    },
  ],
}
