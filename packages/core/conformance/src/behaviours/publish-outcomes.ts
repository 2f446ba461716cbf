import assert from 'node:assert/strict'
import { isPosthornError, PartialPublishError } from '@posthorn/transport'
import { checkError, rejection } from '../bench/errors.ts'
import type { Area } from '../behaviour.ts'

export const publishOutcomes: Area = {
  title: 'Outcomes of a publish',
  behaviours: [
    {
      id: '5',
      sentence: 'Given a batch with one bad message, then the outcome is reported per message',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const batch = [
          { data: 0 },
          { data: undefined },
          { data: 2 },
          { data: 3, headers: { 'posthorn-attempt': '1' } },
          { data: 4 },
        ]
        const error = await rejection('sendMany', transport.sendMany(queue, batch), {
          code: 'POSTHORN_PARTIAL_PUBLISH',
          outcome: 'rejected',
          retryable: false,
        })
        assert.ok(error instanceof PartialPublishError)
        const outcomes = error.outcomes.map((outcome) => (outcome === 'confirmed' ? outcome : outcome.code))
        assert.deepEqual(outcomes, [
          'confirmed',
          'POSTHORN_INVALID_DATA',
          'confirmed',
          'POSTHORN_INVALID_HEADER',
          'confirmed',
        ])
        await transport.sendMany(queue, [])
        const seen = bench.record()
        await transport.consume(queue, seen.handler())
        await bench.until('the good ones arrive', () => seen.calls.length >= 3)
        await bench.quiet()
        assert.deepEqual(seen.sorted, [0, 2, 4])
      },
    },
    {
      id: '5b',
      sentence:
        'Given a broker that refuses one message of a batch, then that one is `rejected` and the others are there',
      needs: { faults: ['rejectPublishes'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await transport.declare({ queues: [{ name: queue }] })
        await bench.faults.rejectPublishes(1)
        const batch = Array.from({ length: 5 }, (_, data) => ({ data }))
        const error = await rejection('sendMany', transport.sendMany(queue, batch), {
          code: 'POSTHORN_PARTIAL_PUBLISH',
        })
        assert.ok(error instanceof PartialPublishError)
        const confirmed: number[] = []
        for (const [index, outcome] of error.outcomes.entries()) {
          if (outcome === 'confirmed') confirmed.push(index)
          else assert.equal(outcome.outcome, 'rejected')
        }
        assert.equal(confirmed.length, 4)
        const seen = bench.record()
        await transport.consume(queue, seen.handler())
        await bench.until('the others arrive', () => seen.calls.length >= 4)
        await bench.quiet()
        assert.deepEqual(seen.sorted, confirmed)
      },
    },
    {
      id: '5c',
      sentence:
        'Given a queue with a bound, then what is beyond it is rejected as `QueueFull` and the rest is there',
      needs: { features: ['boundedQueues'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await transport.declare({ queues: [{ name: queue, maxMessages: 3 }] })
        // Some brokers notice late that a queue is full, and declare by how many messages at most.
        const most = 3 + (transport.capabilities.features.boundedQueues.limits?.['overshoot'] ?? 0)
        const outcomes: string[] = []
        for (let data = 0; data < most + 2; data++) {
          await transport.send(queue, { data }).then(
            () => outcomes.push('confirmed'),
            (error: unknown) =>
              outcomes.push(isPosthornError(error) ? `${error.code} ${error.outcome}` : String(error)),
          )
        }
        const taken = outcomes.indexOf('POSTHORN_QUEUE_FULL rejected')
        assert.ok(
          taken >= 3 && taken <= most,
          `${taken} of ${outcomes.length} were taken: ${outcomes.join(', ')}`,
        )
        assert.deepEqual(new Set(outcomes.slice(taken)), new Set(['POSTHORN_QUEUE_FULL rejected']))
        const seen = bench.record()
        await transport.consume(queue, seen.handler())
        await bench.until('what was confirmed arrives', () => seen.calls.length >= taken)
        await bench.quiet()
        assert.deepEqual(
          seen.sorted,
          Array.from({ length: taken }, (_, data) => data),
        )
        await transport.send(queue, { data: 99 })
        await bench.until('there is room again', () => seen.calls.length === taken + 1)
      },
    },
    {
      id: '28',
      sentence: 'Given a stalled broker socket, then publishers await or reject and memory stays bounded',
      needs: { faults: ['freezePublishes'] },
      async run(bench) {
        const queue = bench.name('orders')
        const rejecting = await bench.open({ maxInFlight: 10, whenFull: 'reject' })
        const waiting = await bench.open({ maxInFlight: 10, whenFull: 'wait' })
        await rejecting.send(queue, { data: -1 })
        await waiting.send(queue, { data: -2 })
        await bench.faults.freezePublishes(true)
        const full = { code: 'POSTHORN_BACKPRESSURE', outcome: 'rejected', retryable: true } as const
        const sends: Promise<void>[] = []
        for (let data = 0; data < 10; data += 1) sends.push(bench.later(rejecting.send(queue, { data })))
        await bench.advance(50)
        await rejection('the 11th send', rejecting.send(queue, { data: 99 }), full)
        // As many again wait for room before it rejects.
        for (let data = 10; data < 30; data += 1) sends.push(bench.later(waiting.send(queue, { data })))
        await bench.advance(50)
        await rejection('the 21st send', waiting.send(queue, { data: 99 }), full)
        assert.equal(rejecting.health().publishing, 10)
        assert.equal(waiting.health().publishing, 20)
        await bench.faults.freezePublishes(false)
        await Promise.all(sends)
        assert.equal(waiting.health().publishing, 0)
        const seen = bench.record()
        await rejecting.consume(queue, seen.handler())
        await bench.until('all that was taken arrives', () => seen.calls.length >= 32)
        await bench.quiet()
        assert.deepEqual(seen.sorted, [-2, -1, ...Array.from({ length: 30 }, (_, data) => data)])
      },
    },
    {
      id: '28b',
      sentence: 'Given bodies that together pass the bound of bytes, then further sends wait or reject',
      needs: { faults: ['freezePublishes'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open({ maxInFlightBytes: 10_000, whenFull: 'reject' })
        await transport.send(queue, { data: 'first' })
        await bench.faults.freezePublishes(true)
        const data = new Uint8Array(4_000)
        const sends = [1, 2].map(() => bench.later(transport.send(queue, { data })))
        await bench.advance(50)
        await rejection('the third send', transport.send(queue, { data }), {
          code: 'POSTHORN_BACKPRESSURE',
          outcome: 'rejected',
        })
        await bench.faults.freezePublishes(false)
        await Promise.all(sends)
        await transport.send(queue, { data })
      },
    },
    {
      id: '41',
      sentence:
        'Given a confirmation that was lost, then the outcome is `unknown`, and sending again with the same id is safe',
      needs: { faults: ['loseConfirmations'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const deduplicates = bench.has('deduplication')
        await transport.declare({
          queues: [{ name: queue, ...(deduplicates ? { deduplicationWindowMs: 60_000 } : {}) }],
        })
        await bench.faults.loseConfirmations(1)
        const message = { data: 'once', id: 'order-1' }
        const error = await rejection('send', transport.send(queue, message, { timeoutMs: 2_000 }), {
          code: ['POSTHORN_TIMEOUT', 'POSTHORN_CONNECTION_LOST', 'POSTHORN_BROKER_ERROR'],
          outcome: 'unknown',
          retryable: true,
        })
        checkError('the error', error, { code: error.code })
        await transport.send(queue, message)
        const seen = bench.record()
        await transport.consume(queue, seen.handler())
        await bench.until('it arrives', () => seen.calls.length > 0)
        await bench.quiet()
        assert.deepEqual(new Set(seen.ids), new Set(['order-1']))
        assert.ok(seen.calls.length <= (deduplicates ? 1 : 2), `it arrived ${seen.calls.length} times`)
      },
    },
    {
      id: '42',
      sentence:
        'Given a send that is aborted or out of time, then it is `rejected` before it was written and `unknown` after',
      needs: { faults: ['freezePublishes'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await transport.send(queue, { data: 'first' })
        const early = transport.send(queue, { data: 'never' }, { signal: AbortSignal.abort() })
        await rejection('a send aborted before', early, { code: 'POSTHORN_ABORTED', outcome: 'rejected' })
        await bench.faults.freezePublishes(true)
        const controller = new AbortController()
        const aborted = transport.send(queue, { data: 'maybe', id: 'maybe-1' }, { signal: controller.signal })
        const late = transport.send(queue, { data: 'perhaps', id: 'perhaps-1' }, { timeoutMs: 500 })
        const outcomes = bench.later(
          Promise.all([
            rejection('a send aborted after', aborted, { code: 'POSTHORN_ABORTED', outcome: 'unknown' }),
            rejection('a send out of time', late, {
              code: 'POSTHORN_TIMEOUT',
              outcome: 'unknown',
              retryable: true,
            }),
          ]),
        )
        await bench.advance(100)
        controller.abort()
        await outcomes
        await bench.faults.freezePublishes(false)
        const seen = bench.record()
        await transport.consume(queue, seen.handler())
        await transport.send(queue, { data: 'last' })
        await bench.until('the last one arrives', () => seen.of('last').length > 0)
        await bench.quiet()
        assert.equal(seen.of('first').length, 1)
        assert.equal(seen.of('never').length, 0)
        assert.ok(seen.of('maybe').length <= 1 && seen.of('perhaps').length <= 1)
      },
    },
    {
      id: '45',
      sentence:
        'Given sends that the broker never answers, when the deadline of close passes, then they are `unknown` and counted',
      needs: { faults: ['freezePublishes'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await transport.send(queue, { data: 1 })
        await bench.faults.freezePublishes(true)
        const expected = {
          code: ['POSTHORN_CONNECTION_LOST', 'POSTHORN_CLOSED'],
          outcome: 'unknown',
        } as const
        const sends = [2, 3].map((data) =>
          bench.later(rejection('send', transport.send(queue, { data }), expected)),
        )
        await bench.advance(10)
        const startedAt = bench.now()
        const report = await transport.close({ deadlineMs: 500 })
        await Promise.all(sends)
        assert.equal(report.unconfirmed, 2)
        assert.equal(report.clean, false)
        assert.ok(bench.now() - startedAt <= 500 + bench.slackMs)
        await bench.faults.freezePublishes(false)
      },
    },
  ],
}
