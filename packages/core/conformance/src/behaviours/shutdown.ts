import assert from 'node:assert/strict'
import { fixed } from '@posthorn/transport'
import { rejection } from '../bench/errors.ts'
import { numbers } from '../bench/numbers.ts'
import { untilAborted } from '../bench/until-aborted.ts'
import type { Area } from '../behaviour.ts'

export const shutdown: Area = {
  title: 'Shutdown',
  behaviours: [
    {
      id: '35',
      sentence:
        'Given close, then in-flight work settles, unstarted messages are immediately available elsewhere, a second close resolves, publish rejects `Closed`',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const other = await bench.open()
        const gate = bench.gate()
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(() => gate.opened, 'closing'),
          { concurrency: 2, prefetch: 10 },
        )
        await transport.sendMany(
          queue,
          numbers(10).map((data) => ({ data })),
        )
        await bench.until('two handlers run', () => seen.running === 2)
        await bench.advance(200)
        const closing = transport.close({ deadlineMs: 20_000 })
        await other.consume(queue, seen.handler(undefined, 'other'))
        if (bench.sharesMessages) {
          await bench.until(
            'the others are handled elsewhere',
            () => seen.by('other').length >= 8,
            2_000 + bench.slackMs,
          )
        } else await bench.advance(1_000)
        assert.equal(seen.running, 2, 'while the first two still run')
        assert.equal(seen.by('closing').length, 2, 'and nothing more begins here')
        gate.open()
        const report = await closing
        assert.equal(report.clean, true)
        assert.equal(report.unconfirmed, 0)
        assert.deepEqual(
          report.consumers.map(({ source, unfinished }) => ({ source, unfinished })),
          [{ source: queue, unfinished: [] }],
        )
        assert.deepEqual(await transport.close(), report)
        await bench.until(
          'the others are handled elsewhere',
          () => seen.by('other').length >= 8,
          2_000 + bench.slackMs,
        )
        const closed = { code: 'POSTHORN_CLOSED', outcome: 'rejected' } as const
        await rejection('send', transport.send(queue, { data: 99 }), closed)
        await rejection('publish', transport.publish(bench.name('events'), { data: 99 }), closed)
        await rejection(
          'consume',
          transport.consume(queue, () => undefined),
          { code: 'POSTHORN_CLOSED' },
        )
        await rejection('declare', transport.declare({ queues: [{ name: queue }] }), {
          code: 'POSTHORN_CLOSED',
        })
        assert.equal(transport.health().state, 'closed')
        await bench.quiet()
        assert.deepEqual(seen.sorted, numbers(10))
        bench.checkUnspent(seen.calls)
      },
    },
    {
      id: '36',
      sentence:
        'Given the close deadline passes, then signals abort, close reports leftovers; redelivery is not counted as failure',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const other = await bench.open()
        const maxAttempts = bench.countsFailures ? 1 : 5
        const first = bench.record()
        await transport.consume(
          queue,
          first.handler(({ context }) => untilAborted(context.signal)),
          { concurrency: 2, retryDelay: fixed(1_000), maxAttempts },
        )
        await transport.sendMany(queue, [
          { data: 0, id: 'order-0', type: 'order.created' },
          { data: 1, id: 'order-1', type: 'order.paid' },
        ])
        await bench.until('both handlers run', () => first.running === 2)
        const startedAt = bench.now()
        const report = await transport.close({ deadlineMs: 1_000 })
        const took = bench.now() - startedAt
        assert.ok(
          took >= 1_000 && took <= 1_500 + bench.slackMs,
          `close took ${took} ms, with a deadline of 1,000 ms`,
        )
        assert.equal(report.clean, false)
        assert.deepEqual(
          report.consumers.flatMap((one) => one.unfinished.toSorted((a, b) => a.id.localeCompare(b.id))),
          [
            { id: 'order-0', type: 'order.created' },
            { id: 'order-1', type: 'order.paid' },
          ],
        )
        assert.ok(first.calls.every((call) => call.context.signal.aborted))
        const seen = bench.record()
        await other.consume(queue, seen.handler(), { maxAttempts })
        await bench.until('both come again', () => seen.calls.length >= 2)
        await bench.quiet()
        assert.deepEqual(seen.sorted, [0, 1])
        bench.checkAttempts(seen.calls, [1, 1])
        assert.equal(await other.deadLetters(queue).count(), 0)
      },
    },
    {
      id: '36b',
      sentence:
        'Given handlers that never end, then close ends all the same, and their messages come again uncounted',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const gate = bench.gate()
        const first = bench.record()
        await transport.consume(
          queue,
          first.handler(() => gate.opened),
          { concurrency: 1 },
        )
        await transport.send(queue, { data: 'a', id: 'order-1', type: 'order.created' })
        await bench.until('the handler runs', () => first.running === 1)
        const report = await transport.close({ deadlineMs: 500 })
        assert.equal(report.clean, false)
        assert.deepEqual(report.consumers[0]?.unfinished, [{ id: 'order-1', type: 'order.created' }])
        const other = await bench.open()
        const seen = bench.record()
        await other.consume(queue, seen.handler())
        await bench.until('it comes again', () => seen.calls.length > 0)
        gate.open()
        await bench.quiet()
        bench.checkAttempts(seen.calls, [1])
        assert.deepEqual(seen.ids, ['order-1'])
      },
    },
    {
      id: '76',
      sentence: 'Given handlers that send while their transport closes, then their sends still go out',
      async run(bench) {
        const queue = bench.name('orders')
        const out = bench.name('invoices')
        const transport = await bench.open()
        const other = await bench.open()
        const seen = bench.record()
        await other.consume(out, seen.handler())
        const gate = bench.gate()
        let running = false
        await transport.consume(queue, async (_, context) => {
          running = true
          await gate.opened
          await context.send(out, { data: 'from the handler' })
          await transport.send(out, { data: 'from beside it' })
        })
        await transport.send(queue, { data: 1 })
        await bench.until('the handler runs', () => running)
        const closing = transport.close({ deadlineMs: 20_000 })
        await bench.advance(100)
        gate.open()
        const report = await closing
        assert.equal(report.clean, true)
        await bench.until('both arrive', () => seen.calls.length >= 2)
        await bench.quiet()
        assert.deepEqual(seen.words, ['from beside it', 'from the handler'])
      },
    },
  ],
}
