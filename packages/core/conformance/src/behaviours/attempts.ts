import assert from 'node:assert/strict'
import { fixed } from '@posthorn/transport'
import type { Area } from '../behaviour.ts'

export const attempts: Area = {
  title: 'Attempts',
  behaviours: [
    {
      id: '9',
      sentence: 'Given a throwing handler, then redelivery carries attempt+1, starting from 1',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const events = bench.events(transport)
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(({ attempt }) => {
            if (attempt === 1) throw new TypeError('at once')
            if (attempt === 2) return Promise.reject(new Error('later'))
            if (attempt === 3) return bench.pause(10).then(() => Promise.reject(new Error('in time')))
            return 'done'
          }),
          { retryDelay: fixed(1_000), maxAttempts: 5 },
        )
        await transport.send(queue, { data: 'a', id: 'order-1' })
        await bench.until('it is handled', () => seen.calls.length >= 4)
        await bench.quiet()
        assert.deepEqual(seen.attempts, [1, 2, 3, 4])
        assert.deepEqual(new Set(seen.ids), new Set(['order-1']))
        assert.deepEqual(
          events.of('retried').map(({ id, attempt, delayMs }) => ({ id, attempt, delayMs })),
          [1, 2, 3].map((attempt) => ({ id: 'order-1', attempt, delayMs: 1_000 })),
        )
        assert.equal(await transport.deadLetters(queue).count(), 0)
      },
    },
    {
      id: '9b',
      sentence:
        'Given `retry({ delayMs })`, then it spends an attempt and comes after that delay, whatever the policy says',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(({ context, attempt }) =>
            attempt < 3 ? context.retry({ delayMs: 2_000 * (attempt - 1) }) : 'done',
          ),
          { retryDelay: fixed(500_000) },
        )
        await transport.send(queue, { data: 'a' })
        await bench.until('it is handled', () => seen.calls.length >= 3)
        await bench.quiet()
        assert.deepEqual(seen.attempts, [1, 2, 3])
        const [first, second, third] = seen.calls.map((call) => call.startedAt) as [number, number, number]
        assert.ok(second - first < 2_000 + bench.slackMs)
        assert.ok(third - second >= 2_000, `attempt 3 came ${third - second} ms after attempt 2`)
      },
    },
    {
      id: '47',
      sentence:
        'Given attempts that are spent, then the message is dead-lettered after exactly `maxAttempts` attempts',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const events = bench.events(transport)
        const seen = bench.record()
        const failing = seen.handler(() => {
          throw new RangeError('never')
        })
        await transport.consume(queue, failing, { retryDelay: fixed(1_000), maxAttempts: 3 })
        await transport.send(queue, { data: 'a', id: 'order-1' })
        await bench.deadLetters(transport, queue, 1)
        await bench.quiet()
        assert.deepEqual(seen.attempts, [1, 2, 3])
        const dead = events.of('deadLettered').map(({ id, reason, attempts }) => ({ id, reason, attempts }))
        assert.deepEqual(dead, [{ id: 'order-1', reason: 'attempts-exhausted', attempts: 3 }])
        const { entries } = await transport.deadLetters(queue).page()
        assert.equal(entries[0]?.attempts, 3)
        assert.equal(entries[0]?.error?.name, 'RangeError')
      },
    },
    {
      id: '47b',
      sentence: 'Given six instances, then together they make `maxAttempts` attempts',
      needs: { features: ['attemptCount'] },
      async run(bench) {
        const queue = bench.name('orders')
        const seen = bench.record()
        const processes = await Promise.all(Array.from({ length: 6 }, () => bench.open()))
        for (const [index, transport] of processes.entries()) {
          const failing = seen.handler(() => {
            throw new Error('never')
          }, `process ${index}`)
          await transport.consume(queue, failing, {
            retryDelay: fixed(1_000),
            maxAttempts: 4,
            concurrency: 1,
          })
        }
        const [first] = processes
        assert.ok(first !== undefined)
        await first.sendMany(
          queue,
          // Fewer than there are instances, so that the attempts of one go round among them.
          Array.from({ length: 5 }, (_, data) => ({ data })),
        )
        await bench.deadLetters(first, queue, 5)
        await bench.quiet()
        for (let data = 0; data < 5; data += 1) {
          assert.deepEqual(
            seen.of(data).map((call) => call.attempt),
            [1, 2, 3, 4],
          )
        }
        const { entries } = await first.deadLetters(queue).page()
        assert.deepEqual(
          entries.map((entry) => entry.attempts),
          [4, 4, 4, 4, 4],
        )
      },
    },
    {
      id: '48',
      sentence:
        'Given no policy of the user, then attempts are finite: five, with a growing delay of a second at least',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const seen = bench.record()
        const failing = seen.handler(() => {
          throw new Error('never')
        })
        await transport.consume(queue, failing)
        await transport.send(queue, { data: 'a' })
        // The last two take up to half a minute, which only a virtual clock can afford.
        if (bench.virtual) await bench.deadLetters(transport, queue, 1)
        else await bench.until('three attempts are made', () => seen.calls.length >= 3)
        await bench.quiet()
        assert.deepEqual(seen.attempts, bench.virtual ? [1, 2, 3, 4, 5] : [1, 2, 3])
        const waits = seen.calls
          .slice(1)
          .map((call, index) => call.startedAt - (seen.calls[index]?.startedAt ?? 0))
        for (const [index, wait] of waits.entries()) {
          const scheduled = 1_000 * 2 ** index
          assert.ok(wait >= scheduled, `attempt ${index + 2} came after ${wait} ms, less than ${scheduled}`)
          assert.ok(
            wait <= 2 * scheduled + bench.lateness('delayedRetry', 2 * scheduled),
            `attempt ${index + 2} came after ${wait} ms`,
          )
        }
      },
    },
  ],
}
