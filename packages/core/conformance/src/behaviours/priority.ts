import assert from 'node:assert/strict'
import type { Area } from '../behaviour.ts'

const rankOf = (data: unknown): number => Number(String(data).split(' ')[0])

export const priority: Area = {
  title: 'Priority',
  behaviours: [
    {
      id: '33',
      sentence:
        'Given mixed priorities in a backlog, then higher are handed out first; starvation bound documented',
      needs: { features: ['priority'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const { limits, guarantee } = bench.capabilities.features.priority
        const levels = limits?.['levels'] ?? 0
        assert.ok(levels >= 2, 'the capability says how many levels there are')
        assert.ok(guarantee !== undefined, 'the capability says what becomes of lower ones')
        const priorities = levels >= 10 ? [0, undefined, 9, 5] : [0, 9]
        const sends = Array.from({ length: 5 }, (_, step) =>
          priorities.map((priority) => ({
            data: `${priority ?? 4} ${step}`,
            key: 'a',
            ...(priority === undefined ? {} : { priority }),
          })),
        )
        await transport.sendMany(queue, sends.flat())
        const seen = bench.record()
        await transport.consume(queue, seen.handler(), { concurrency: 1 })
        await bench.until('all are handled', () => seen.calls.length >= sends.flat().length)
        await bench.quiet()
        for (const rank of priorities.map((priority) => priority ?? 4)) {
          assert.deepEqual(
            seen.data.filter((data) => rankOf(data) === rank),
            Array.from({ length: 5 }, (_, step) => `${rank} ${step}`),
          )
        }
        const lowerEvery = limits?.['lowerEvery'] ?? Infinity
        let early = 0
        for (const [index, data] of seen.data.entries()) {
          if (seen.data.slice(index).some((later) => rankOf(later) > rankOf(data))) early += 1
          const told = `lower ones went before higher ones: ${seen.data.join(', ')}`
          assert.ok(early <= Math.ceil((index + 1) / lowerEvery), told)
        }
      },
    },
  ],
}
