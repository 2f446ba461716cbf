import assert from 'node:assert/strict'
import { fixed, type Feature } from '@posthorn/transport'
import { rejection } from '../bench/errors.ts'
import type { Bench } from '../bench/bench.ts'
import type { Area } from '../behaviour.ts'

const dayMs = 86_400_000

/** A long delay where time costs nothing, a short one where it has to be waited for; never beyond the broker's limit. */
function longDelay(bench: Bench, feature: Feature): number {
  const limit = bench.capabilities.features[feature].limits?.['maxMs'] ?? Infinity
  return Math.min(limit, bench.virtual ? 3 * dayMs : 3_000)
}

function checkDue(bench: Bench, feature: Feature, what: string, waited: number, delayMs: number): void {
  assert.ok(waited >= delayMs, `${what} came after ${waited} ms, ${delayMs - waited} ms early`)
  const most = delayMs + bench.lateness(feature, delayMs)
  assert.ok(waited <= most, `${what} came after ${waited} ms, later than ${most} ms`)
}

export const delays: Area = {
  title: 'Delay',
  behaviours: [
    {
      id: '31',
      sentence: 'Given delay d, then never early, within declared lateness, surviving a broker restart',
      needs: { features: ['delayedSend', 'durability'], faults: ['restart'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const delayMs = longDelay(bench, 'delayedSend')
        const sentAt = bench.now()
        await transport.send(queue, { data: 'later', delayMs })
        await bench.faults.restart()
        const seen = bench.record()
        const reader = await bench.open()
        await reader.consume(queue, seen.handler())
        await bench.until(
          'it arrives',
          () => seen.calls.length > 0,
          delayMs + bench.lateness('delayedSend', delayMs) + 30_000,
        )
        await bench.quiet()
        assert.deepEqual(seen.data, ['later'])
        assert.ok((seen.calls[0]?.startedAt ?? 0) - sentAt >= delayMs)
      },
    },
    {
      id: '31b',
      sentence: 'Given delay d when sending, then never early and within declared lateness',
      needs: { features: ['delayedSend'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const seen = bench.record()
        await transport.consume(queue, seen.handler())
        const longMs = longDelay(bench, 'delayedSend')
        const delays = [longMs, 2_000, 0, 1_000]
        const sentAt = bench.now()
        await transport.sendMany(
          queue,
          delays.map((delayMs) => ({ data: delayMs, delayMs })),
        )
        await bench.until(
          'all arrive',
          () => seen.calls.length >= delays.length,
          longMs + bench.lateness('delayedSend', longMs) + 1_000,
        )
        await bench.quiet()
        assert.deepEqual(
          seen.data,
          delays.toSorted((a, b) => a - b),
        )
        for (const call of seen.calls)
          checkDue(bench, 'delayedSend', 'a delayed message', call.startedAt - sentAt, call.data as number)
      },
    },
    {
      id: '31c',
      sentence:
        'Given delay d before the next attempt, then never early, within declared lateness, and others do not wait for it',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const seen = bench.record()
        const longMs = Math.min(longDelay(bench, 'delayedRetry'), bench.virtual ? 3_600_000 : Infinity)
        const delays = [longMs, 1_000, 2_000]
        await transport.consume(
          queue,
          seen.handler(({ context, attempt, data }) =>
            attempt === 1 ? context.retry({ delayMs: data as number }) : 'done',
          ),
          { concurrency: 5 },
        )
        await transport.sendMany(
          queue,
          delays.map((data) => ({ data })),
        )
        await bench.until(
          'all are handled',
          () => seen.calls.length >= 6,
          longMs + bench.lateness('delayedRetry', longMs) + 5_000,
        )
        await bench.quiet()
        assert.equal(seen.calls.length, 6)
        for (const data of delays) {
          const [first, second] = seen.of(data)
          checkDue(
            bench,
            'delayedRetry',
            `the second attempt of ${data}`,
            (second?.startedAt ?? 0) - (first?.startedAt ?? 0),
            data,
          )
        }
      },
    },
    {
      id: '31d',
      sentence:
        'Given a delayed message and a delayed retry, when all connections are cut, then both still come, and not early',
      needs: { features: ['delayedSend', 'delayedRetry'], faults: ['cut'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const seen = bench.record()
        const handler = seen.handler(({ context, attempt, data }) =>
          data === 'retried' && attempt === 1 ? context.retry({ delayMs: 3_000 }) : 'done',
        )
        await transport.consume(queue, handler)
        const sentAt = bench.now()
        await transport.send(queue, { data: 'delayed', delayMs: 3_000 })
        await transport.send(queue, { data: 'retried' })
        await bench.until('the first attempt is spent', () => seen.calls.length === 1)
        await bench.advance(500)
        await bench.faults.cut('all')
        await bench.until('both come', () => seen.calls.length >= 3)
        await bench.quiet()
        assert.deepEqual(seen.calls.map((call) => `${String(call.data)} ${call.attempt}`).toSorted(), [
          'delayed 1',
          'retried 1',
          'retried 2',
        ])
        for (const call of seen.calls.slice(1)) assert.ok(call.startedAt - sentAt >= 3_000)
      },
    },
    {
      id: '31e',
      sentence:
        'Given a delay before the next attempt, when its process is killed, then another one makes that attempt, and not early',
      needs: { faults: ['kill'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const events = bench.events(transport)
        const failing = (): never => {
          throw new Error('again')
        }
        await transport.consume(queue, failing, { retryDelay: fixed(5_000) })
        await transport.send(queue, { data: 'a' })
        await bench.until('the first attempt is spent', () => events.of('retried').length === 1)
        const failedAt = bench.now()
        await bench.delayed(transport, queue)
        await bench.advance(500)
        await bench.faults.kill(transport)
        const other = await bench.open()
        const seen = bench.record()
        await other.consume(queue, seen.handler())
        await bench.until('the second attempt is made', () => seen.calls.length > 0)
        await bench.quiet()
        assert.equal(seen.calls.length, 1)
        // Where the broker keeps neither a delay nor the state of a held message, the crash undoes the failure.
        if (!bench.has('delayedRetry') && !bench.has('holdKey')) return
        assert.deepEqual(seen.attempts, [2])
        const waited = (seen.calls[0]?.startedAt ?? 0) - failedAt
        assert.ok(
          waited >= 5_000 - bench.slackMs,
          `it was made after ${waited} ms, ${5_000 - waited} ms early`,
        )
      },
    },
    {
      id: '61',
      sentence: 'Given a delay beyond the declared limit, then the send is refused, naming the limit',
      needs: { features: ['delayedSend'] },
      async run(bench) {
        const transport = await bench.open()
        const maxMs = bench.capabilities.features.delayedSend.limits?.['maxMs']
        if (maxMs === undefined) return
        await rejection('send', transport.send(bench.name('orders'), { data: 1, delayMs: maxMs + 1 }), {
          code: 'POSTHORN_UNSUPPORTED',
          outcome: 'rejected',
          mentions: [transport.broker, String(maxMs)],
        })
      },
    },
  ],
}
