import assert from 'node:assert/strict'
import { fixed, type DeadLetter } from '@posthorn/transport'
import type { Area } from '../behaviour.ts'

const ids = (entries: readonly DeadLetter[]): string[] => entries.map((entry) => entry.id)

export const deadLetters: Area = {
  title: 'Dead letters',
  behaviours: [
    {
      id: '16',
      sentence:
        'Given `deadLetter(reason)`, then the copy has original bytes, source, group, attempts, first and last failure, error',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const events = bench.events(transport)
        const data = { total: 12.5, note: 'ü' }
        const seen = bench.record()
        const refuse = seen.handler(({ attempt, context }) => {
          if (attempt === 1) throw new TypeError('the first failure')
          const error = Object.assign(new RangeError('the last failure'), { code: 'E_LAST' })
          return context.deadLetter({ reason: 'not-payable', error })
        })
        await transport.consume(queue, refuse, { retryDelay: fixed(2_000), name: 'refuse' })
        const headers = { tenant: 'acme' }
        const message = {
          id: 'order-1',
          type: 'order.created',
          key: 'customer-1',
          correlationId: 'trace-1',
          headers,
          data,
        }
        await transport.send(queue, message)
        await bench.deadLetters(transport, queue, 1)
        const [entry] = (await transport.deadLetters(queue).page()).entries
        assert.ok(entry !== undefined)
        assert.equal(Buffer.from(entry.body).toString(), JSON.stringify(data))
        assert.equal(entry.contentType, 'application/json')
        assert.deepEqual({ ...entry.headers }, headers)
        const { id, type, key, correlationId, source, group, reason, attempts, error, handler, replays } =
          entry
        assert.deepEqual(
          { id, type, key, correlationId, source, group, reason, attempts, error, handler, replays },
          {
            id: 'order-1',
            type: 'order.created',
            key: 'customer-1',
            correlationId: 'trace-1',
            source: queue,
            group: undefined,
            reason: 'not-payable',
            attempts: 2,
            error: { name: 'RangeError', message: 'the last failure', code: 'E_LAST' },
            handler: 'refuse',
            replays: 0,
          },
        )
        const [first, second] = seen.calls
        const { firstFailedAt = 0, lastFailedAt = 0, deadLetteredAt, time } = entry
        assert.ok(
          Math.abs(lastFailedAt - (second?.endedAt ?? 0)) <= bench.slackMs,
          'the time of the last failure',
        )
        assert.ok(deadLetteredAt >= lastFailedAt && time <= firstFailedAt)
        // Where attempts are the broker's count, nothing is noted with the message.
        if (bench.countsFailures) {
          assert.ok(
            Math.abs(firstFailedAt - (first?.endedAt ?? 0)) <= bench.slackMs,
            'the time of the first failure',
          )
          assert.ok(lastFailedAt - firstFailedAt >= 2_000)
        }
        assert.deepEqual(
          events
            .of('deadLettered')
            .map((event) => [event.id, event.type, event.source, event.reason, event.attempts]),
          [['order-1', 'order.created', queue, 'not-payable', 2]],
        )
      },
    },
    {
      id: '16b',
      sentence: 'Given a dead letter of a group, then it says so, and the other groups have none',
      async run(bench) {
        const topic = bench.name('events')
        const transport = await bench.open()
        const seen = bench.record()
        await transport.subscribe(
          topic,
          ({ data }, context) => context.deadLetter({ reason: String(data) }),
          { group: 'billing' },
        )
        await transport.subscribe(topic, seen.handler(), { group: 'shipping' })
        await transport.publish(topic, { data: 'no', type: 'order.created' })
        const source = { topic, group: 'billing' }
        await bench.deadLetters(transport, source, 1)
        const [entry] = (await transport.deadLetters(source).page()).entries
        assert.equal(entry?.source, `${topic}/billing`)
        assert.equal(entry?.group, 'billing')
        assert.equal(entry?.reason, 'no')
        assert.equal(entry?.attempts, 1)
        assert.equal(await transport.deadLetters(`${topic}/shipping`).count(), 0)
        await bench.until('the other group handles it', () => seen.calls.length === 1)
      },
    },
    {
      id: '17',
      sentence:
        'Given the write of the dead letter fails, then the message remains on the source, and is dead-lettered once when it can be',
      needs: { faults: ['failDeadLetters'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const events = bench.events(transport)
        const seen = bench.record()
        await bench.faults.failDeadLetters(2)
        await transport.consume(
          queue,
          seen.handler(({ context }) => context.deadLetter({ reason: 'no' })),
        )
        await transport.send(queue, { data: 'a', id: 'order-1' })
        await bench.deadLetters(transport, queue, 1)
        await bench.quiet()
        assert.equal(events.of('deadLetterFailed').length, 2)
        assert.equal(events.of('deadLettered').length, 1)
        assert.deepEqual(seen.ids, ['order-1'], 'it is not handled again for that')
        assert.deepEqual(ids((await transport.deadLetters(queue).page()).entries), ['order-1'])
      },
    },
    {
      id: '17b',
      sentence:
        'Given the write of the dead letter fails and the process is killed, then another one gets the message',
      needs: { faults: ['failDeadLetters', 'kill'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const events = bench.events(transport)
        await bench.faults.failDeadLetters(5)
        await transport.consume(
          queue,
          () => {
            throw new Error('never')
          },
          { maxAttempts: 1 },
        )
        await transport.send(queue, { data: 'a', id: 'order-1' })
        await bench.until('a write has failed', () => events.of('deadLetterFailed').length > 0)
        assert.equal(await transport.deadLetters(queue).count(), 0)
        await bench.faults.kill(transport)
        const other = await bench.open()
        const seen = bench.record()
        await other.consume(
          queue,
          seen.handler(() => {
            throw new Error('never')
          }),
          { maxAttempts: 1 },
        )
        await bench.deadLetters(other, queue, 1)
        await bench.quiet()
        if (bench.countsFailures) assert.deepEqual(seen.ids, ['order-1'])
        assert.deepEqual(ids((await other.deadLetters(queue).page()).entries), ['order-1'])
      },
    },
  ],
}
