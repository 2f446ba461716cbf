import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { createMatcher } from '@posthorn/transport'
import type { Area } from '../behaviour.ts'

const words = ['a', 'b', 'order', 'created']
const pattern = fc
  .array(fc.constantFrom(...words, '*', '#'), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('.'))
const routingKey = fc
  .array(fc.constantFrom(...words), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('.'))

/** Cases that a hand-written matcher gets wrong. */
const known: readonly (readonly [pattern: string, routingKey: string])[] = [
  ['#', 'a'],
  ['#', 'a.b.order'],
  ['a.#', 'a'],
  ['a.#', 'a.b.order'],
  ['a.#', 'b.a'],
  ['#.a', 'a'],
  ['#.a', 'b.order.a'],
  ['a.#.b', 'a.b'],
  ['a.#.b', 'a.order.created.b'],
  ['a.*', 'a'],
  ['a.*', 'a.b'],
  ['a.*', 'a.b.order'],
  ['*.#', 'a'],
  ['#.#', 'a.b'],
  ['a', 'a.b'],
  ['order', 'order.created'],
]

export const routing: Area = {
  title: 'Routing',
  behaviours: [
    {
      id: '24',
      sentence: "Given random topics and patterns, then delivery equals the reference matcher's result",
      needs: { features: ['patternRouting'] },
      async run(bench) {
        const transport = await bench.open()
        const topic = bench.name('events')
        // The same for every run of the suite: what was routed wrong once is routed wrong again.
        const [random = []] = fc.sample(
          fc.array(fc.array(pattern, { minLength: 1, maxLength: 3 }), { minLength: 6, maxLength: 6 }),
          {
            numRuns: 1,
            seed: 24,
          },
        )
        const keys = [
          ...new Set([...fc.sample(routingKey, { numRuns: 40, seed: 24 }), ...known.map(([, key]) => key)]),
        ]
        const subscriptions = [...random, ...new Set(known.map(([one]) => one))].map((one) => [one].flat())
        const got = subscriptions.map(() => new Map<string, number>())
        for (const [index, patterns] of subscriptions.entries()) {
          await transport.subscribe(
            topic,
            (message) => {
              const counts = got[index]
              counts?.set(message.routingKey, (counts.get(message.routingKey) ?? 0) + 1)
            },
            { group: `group-${index}`, patterns },
          )
        }
        await transport.publishMany(
          topic,
          keys.map((key) => ({ data: null, type: key })),
        )
        const wanted = subscriptions.map((patterns) => {
          const matches = createMatcher(patterns)
          return keys.filter((key) => matches(key))
        })
        const complete = (): boolean =>
          wanted.every((list, index) => list.every((key) => (got[index]?.get(key) ?? 0) > 0))
        await bench.until('every group has what matches', complete)
        await bench.quiet()
        for (const [index, patterns] of subscriptions.entries()) {
          assert.deepEqual(
            [...(got[index]?.keys() ?? [])].toSorted(),
            wanted[index]?.toSorted(),
            `patterns ${patterns.join(' ')}`,
          )
          assert.deepEqual(
            new Set(got[index]?.values()),
            new Set(wanted[index]?.length === 0 ? [] : [1]),
            'each once',
          )
        }
      },
    },
    {
      id: '24b',
      sentence:
        'Given a routing key of its own, then patterns are matched against it and not against the type',
      async run(bench) {
        const transport = await bench.open()
        const topic = bench.name('events')
        const seen = bench.record()
        await transport.subscribe(topic, seen.handler(), { group: 'eu', patterns: ['order.eu.*'] })
        await transport.publish(topic, { data: 'yes', type: 'order.created', routingKey: 'order.eu.created' })
        await transport.publish(topic, {
          data: 'no',
          type: 'order.eu.created',
          routingKey: 'order.us.created',
        })
        await transport.publish(topic, { data: 'also', type: 'order.eu.paid' })
        await bench.until('both arrive', () => seen.calls.length >= 2)
        await bench.quiet()
        assert.deepEqual(seen.words, ['also', 'yes'])
        assert.equal(seen.of('yes')[0]?.message.type, 'order.created')
      },
    },
    {
      id: '57',
      sentence:
        'Given `from: earliest`, then a new group gets what the topic has kept, and a group without it does not',
      needs: { features: ['fromEarliest'] },
      async run(bench) {
        const topic = bench.name('events')
        const transport = await bench.open()
        for (const data of [0, 1, 2]) await transport.publish(topic, { data })
        const early = bench.record()
        const now = bench.record()
        await transport.subscribe(topic, early.handler(), { group: 'early', from: 'earliest' })
        await transport.subscribe(topic, now.handler(), { group: 'now' })
        await transport.publish(topic, { data: 3 })
        await bench.until('both have theirs', () => early.calls.length >= 4 && now.calls.length >= 1)
        await bench.quiet()
        assert.deepEqual(early.sorted, [0, 1, 2, 3])
        assert.deepEqual(now.sorted, [3])
      },
    },
    {
      id: '57b',
      sentence: 'Given a moment as `from`, then a new group starts there',
      needs: { features: ['fromTime'] },
      async run(bench) {
        const topic = bench.name('events')
        const transport = await bench.open()
        await transport.publish(topic, { data: 'old' })
        await bench.advance(2_000)
        const from = new Date(bench.now())
        await bench.advance(1_000)
        await transport.publish(topic, { data: 'new' })
        const seen = bench.record()
        await transport.subscribe(topic, seen.handler(), { group: 'late', from })
        await bench.until('the new one arrives', () => seen.calls.length > 0)
        await bench.quiet()
        assert.deepEqual(seen.data, ['new'])
      },
    },
  ],
}
