import assert from 'node:assert/strict'
import { fixed } from '@posthorn/transport'
import { numbers } from '../bench/numbers.ts'
import type { Area } from '../behaviour.ts'

export const batches: Area = {
  title: 'Batches',
  behaviours: [
    {
      id: '55',
      sentence:
        'Given a batch handler, then it gets at most `max` messages, waits for `waitMs`, and answers per item',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const batches: { readonly data: unknown[]; readonly attempts: number[]; readonly at: number }[] = []
        await transport.consume(
          queue,
          (messages, { contexts, source }) => {
            assert.equal(source, queue)
            batches.push({
              data: messages.map((message) => message.data),
              attempts: contexts.map((context) => context.attempt),
              at: bench.now(),
            })
            return messages.map((message, index) => {
              const context = contexts[index]
              if (context === undefined) return undefined
              if (message.data === 'retry' && context.attempt === 1) return context.retry({ delayMs: 1_000 })
              if (message.data === 'bad') return context.deadLetter({ reason: 'bad-item' })
              return 'done'
            })
          },
          { batch: { max: 4, waitMs: 500 }, concurrency: 1 },
        )
        const sentAt = bench.now()
        await transport.sendMany(
          queue,
          ['a', 'retry', 'bad', 'b', 'c', 'd'].map((data) => ({ data })),
        )
        await bench.until('all are handled', () => batches.flatMap((batch) => batch.data).length >= 7)
        await bench.quiet()
        const all = batches.flatMap((batch) =>
          batch.data.map((data, index) => `${String(data)} ${batch.attempts[index]}`),
        )
        assert.deepEqual(all.toSorted(), ['a 1', 'b 1', 'bad 1', 'c 1', 'd 1', 'retry 1', 'retry 2'])
        assert.ok(batches.every((batch) => batch.data.length <= 4))
        const partial = batches.find((batch) => batch.data.length < 4 && !batch.attempts.includes(2))
        assert.ok((partial?.at ?? Infinity) - sentAt >= 500, 'a batch that is not full waits for others')
        const { entries } = await transport.deadLetters(queue).page()
        assert.deepEqual(
          entries.map((entry) => `${entry.reason} ${entry.attempts}`),
          ['bad-item 1'],
        )
      },
    },
    {
      id: '55b',
      sentence:
        'Given a batch handler that throws, then an attempt of each of its messages is spent, and of no other',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const attempts = new Map<unknown, number[]>()
        let calls = 0
        await transport.consume(
          queue,
          (messages, { contexts }) => {
            calls += 1
            for (const [index, message] of messages.entries()) {
              attempts.set(message.data, [
                ...(attempts.get(message.data) ?? []),
                contexts[index]?.attempt ?? 0,
              ])
            }
            if (messages.some((message, index) => message.data === 0 && contexts[index]?.attempt === 1)) {
              throw new Error('the whole batch fails')
            }
          },
          { batch: { max: 3, waitMs: 200 }, concurrency: 1, retryDelay: fixed(1_000) },
        )
        await transport.sendMany(
          queue,
          numbers(6).map((data) => ({ data })),
        )
        await bench.until('all are handled', () => [...attempts.values()].flat().length >= 9)
        await bench.quiet()
        const retried = [...attempts.values()].filter((list) => list.length === 2)
        assert.equal(retried.length, 3)
        assert.deepEqual(attempts.get(0), [1, 2])
        for (const list of retried) assert.deepEqual(list, [1, 2])
        assert.equal([...attempts.values()].filter((list) => list.length === 1).length, 3)
        assert.equal(calls, 3)
      },
    },
  ],
}
