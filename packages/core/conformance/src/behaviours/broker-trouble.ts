import assert from 'node:assert/strict'
import { rejection } from '../bench/errors.ts'
import { numbers } from '../bench/numbers.ts'
import type { Area } from '../behaviour.ts'

export const brokerTrouble: Area = {
  title: 'Trouble at the broker',
  behaviours: [
    {
      id: '83',
      sentence:
        'Given a consumer that the broker ends while its connection lives, then it is set up anew, and nothing is lost',
      needs: { faults: ['endConsumers'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const events = bench.events(transport)
        const seen = bench.record()
        await transport.consume(queue, seen.handler())
        await transport.send(queue, { data: 1 })
        await bench.until('the first is handled', () => seen.calls.length === 1)
        await bench.advance(100)
        await bench.faults.endConsumers(queue)
        await transport.send(queue, { data: 2 })
        await bench.until('the second is handled', () => seen.calls.length >= 2)
        await bench.quiet()
        assert.deepEqual(seen.data, [1, 2])
        assert.deepEqual(
          events.of('rebuilt').map((event) => event.source),
          [queue],
        )
        assert.deepEqual(events.of('connection'), [])
        assert.equal(transport.health().state, 'up')
      },
    },
    {
      id: '84',
      sentence:
        'Given a source that has messages and hands out none, then it is told and the consumer set up anew, but not while it is paused or empty',
      needs: { faults: ['stall'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open({ stallMs: 2_000 })
        const events = bench.events(transport)
        const seen = bench.record()
        const consumer = await transport.consume(queue, seen.handler())
        await bench.advance(5_000)
        assert.deepEqual(events.of('stalled'), [], 'an empty source is no stall')
        await bench.faults.stall(queue, true)
        consumer.pause()
        await transport.send(queue, { data: 1 })
        await bench.advance(5_000)
        assert.deepEqual(events.of('stalled'), [], 'a paused consumer is no stall')
        consumer.resume()
        await bench.until('the stall is told', () => events.of('stalled').length > 0)
        assert.deepEqual(
          events.of('stalled').map(({ source, ready }) => ({ source, ready })),
          [{ source: queue, ready: 1 }],
        )
        await bench.until('it is set up anew', () => events.of('rebuilt').length > 0)
        await bench.faults.stall(queue, false)
        await bench.until('it goes on', () => seen.calls.length > 0)
        await bench.quiet()
        assert.deepEqual(seen.data, [1])
      },
    },
    {
      id: '88',
      sentence:
        'Given a broker that takes no messages for now, then health says `blocked`, sends wait, and consumers go on',
      needs: { faults: ['block'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const seen = bench.record()
        await transport.sendMany(
          queue,
          numbers(3).map((data) => ({ data })),
        )
        await bench.faults.block(true)
        await bench.until('health says so', () => transport.health().state === 'blocked')
        assert.ok((transport.health().reason ?? '') !== '')
        const sending = bench.later(transport.send(queue, { data: 3 }))
        const late = bench.later(
          rejection('send', transport.send(queue, { data: 4 }, { timeoutMs: 1_000 }), {
            code: 'POSTHORN_TIMEOUT',
          }),
        )
        await transport.consume(queue, seen.handler())
        await bench.until('what was there is handled', () => seen.calls.length >= 3)
        await late
        assert.equal(transport.health().state, 'blocked')
        await bench.faults.block(false)
        await sending
        await bench.until('health is well again', () => transport.health().state === 'up')
        await bench.until('the send goes out', () => seen.of(3).length > 0)
        await bench.quiet()
        assert.equal(seen.of(3).length, 1)
      },
    },
    {
      id: '89',
      sentence:
        'Given a queue that is deleted while it is used, then mode `create` makes it again, and sends and consumers go on',
      needs: { faults: ['loseDeclared'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const sender = await bench.open()
        const seen = bench.record()
        await transport.consume(queue, seen.handler())
        await sender.send(queue, { data: 1 })
        await bench.until('the first is handled', () => seen.calls.length === 1)
        await bench.advance(100)
        await bench.faults.loseDeclared(queue)
        await sender.send(queue, { data: 2 })
        await bench.until('the second is handled', () => seen.calls.length >= 2)
        await bench.quiet()
        assert.deepEqual(seen.data, [1, 2])
        assert.equal(transport.health().state, 'up')
      },
    },
  ],
}
