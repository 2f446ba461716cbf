import assert from 'node:assert/strict'
import { rejection } from '../bench/errors.ts'
import type { Bench } from '../bench/bench.ts'
import type { QueueDeclaration } from '@posthorn/transport'
import type { Area } from '../behaviour.ts'

/** Two declarations of one queue that cannot both be met, in terms of what the broker knows of a queue. */
function conflict(
  bench: Bench,
  name: string,
): { readonly first: QueueDeclaration; readonly second: QueueDeclaration; readonly argument: string } {
  if (bench.has('boundedQueues')) {
    return { first: { name, maxMessages: 10 }, second: { name, maxMessages: 20 }, argument: 'maxMessages' }
  }
  if (bench.has('deduplication')) {
    const [short, long] = [30_000, 60_000]
    return {
      first: { name, deduplicationWindowMs: short },
      second: { name, deduplicationWindowMs: long },
      argument: 'deduplicationWindowMs',
    }
  }
  return {
    first: { name, deadLetterQueue: bench.name('one') },
    second: { name, deadLetterQueue: bench.name('two') },
    argument: 'deadLetterQueue',
  }
}

export const topology: Area = {
  title: 'Topology',
  behaviours: [
    {
      id: '38',
      sentence:
        'Given identical declarations twice, then fine; conflicting ones fail fast, typed, without a reconnect loop',
      async run(bench) {
        const queue = bench.name('orders')
        const topic = bench.name('events')
        const transport = await bench.open()
        const other = await bench.open()
        const events = bench.events(other)
        const { first, second, argument } = conflict(bench, queue)
        const wanted = {
          queues: [first],
          topics: [{ name: topic }],
          subscriptions: [{ topic, group: 'billing', patterns: ['order.#', 'payment.*'] }],
        }
        await transport.declare(wanted)
        await transport.declare(wanted)
        await other.declare(wanted)
        await transport.send(queue, { data: 'before' })
        const startedAt = bench.now()
        await rejection('declare', other.declare({ queues: [second] }), {
          code: 'POSTHORN_TOPOLOGY_MISMATCH',
          retryable: false,
          mentions: [queue, argument],
        })
        assert.ok(bench.now() - startedAt <= bench.slackMs, 'it fails at once')
        assert.deepEqual(events.of('connection'), [])
        assert.equal(other.health().state, 'up')
        const seen = bench.record()
        await other.consume(queue, seen.handler())
        await other.send(queue, { data: 'after' })
        await bench.until('both arrive', () => seen.calls.length >= 2)
        await bench.quiet()
        assert.deepEqual(seen.words, ['after', 'before'])
      },
    },
    {
      id: '77',
      sentence:
        'Given mode `check`, then what is there and fits is fine, what is missing or differs is a typed error, and nothing is made',
      async run(bench) {
        const queue = bench.name('orders')
        const missing = bench.name('missing')
        const topic = bench.name('events')
        const transport = await bench.open()
        const { first, second, argument } = conflict(bench, queue)
        await transport.declare({ queues: [first], subscriptions: [{ topic, group: 'billing' }] })
        const checking = await bench.open({ topology: 'check' })
        await checking.declare({
          queues: [first],
          topics: [{ name: topic }],
          subscriptions: [{ topic, group: 'billing' }],
        })
        await rejection('declare', checking.declare({ queues: [{ name: missing }] }), {
          code: 'POSTHORN_TOPOLOGY_MISSING',
          mentions: [missing],
        })
        await rejection('declare', checking.declare({ queues: [second] }), {
          code: 'POSTHORN_TOPOLOGY_MISMATCH',
          mentions: [queue, argument],
        })
        const unknownGroup = { subscriptions: [{ topic, group: 'unknown' }] }
        await rejection('declare', checking.declare(unknownGroup), {
          code: 'POSTHORN_TOPOLOGY_MISSING',
          mentions: ['unknown'],
        })
        await rejection(
          'subscribe',
          checking.subscribe(topic, () => undefined, { group: 'unknown' }),
          {
            code: 'POSTHORN_TOPOLOGY_MISSING',
          },
        )
        const plan = await transport.plan({ queues: [{ name: missing }], ...unknownGroup })
        for (const name of [missing, `${topic}/unknown`]) {
          assert.equal(
            plan.find((item) => item.name === name && item.part !== 'deadLetters')?.action,
            'create',
            `${name} was not made`,
          )
        }
        // What is there can be used.
        const seen = bench.record()
        await checking.consume(queue, seen.handler())
        await checking.subscribe(topic, seen.handler(), { group: 'billing' })
        await checking.send(queue, { data: 'sent' })
        await checking.publish(topic, { data: 'published' })
        await bench.until('both arrive', () => seen.calls.length >= 2)
      },
    },
    {
      id: '77b',
      sentence: 'Given mode `none`, then nothing is made or looked at, and what is there can be used',
      async run(bench) {
        const queue = bench.name('orders')
        const topic = bench.name('events')
        const transport = await bench.open()
        await transport.declare({ queues: [{ name: queue }], subscriptions: [{ topic, group: 'billing' }] })
        const plain = await bench.open({ topology: 'none' })
        const missing = bench.name('missing')
        await plain.declare({ queues: [{ name: missing }] })
        const [item] = await transport.plan({ queues: [{ name: missing }] })
        assert.equal(item?.action, 'create', 'it was not made')
        const seen = bench.record()
        await plain.consume(queue, seen.handler())
        await plain.subscribe(topic, seen.handler(), { group: 'billing' })
        await plain.send(queue, { data: 'sent' })
        await plain.publish(topic, { data: 'published' })
        await bench.until('both arrive', () => seen.calls.length >= 2)
        await bench.quiet()
        assert.deepEqual(seen.words, ['published', 'sent'])
      },
    },
    {
      id: '78',
      sentence: 'Given a topology, then `plan` says what would be made and what differs, and makes nothing',
      async run(bench) {
        const queue = bench.name('orders')
        const missing = bench.name('missing')
        const topic = bench.name('events')
        const transport = await bench.open()
        const { first, second, argument } = conflict(bench, queue)
        await transport.declare({ queues: [first] })
        const wanted = {
          queues: [second, { name: missing }],
          topics: [{ name: topic }],
          subscriptions: [{ topic, group: 'billing' }],
        }
        const plans = [await transport.plan(wanted), await transport.plan(wanted)]
        for (const plan of plans) {
          const find = (kind: string, name: string): (typeof plan)[number] | undefined =>
            plan.find((item) => item.kind === kind && item.name === name && item.part !== 'deadLetters')
          assert.equal(find('queue', missing)?.action, 'create')
          assert.equal(find('topic', topic)?.action, 'create')
          assert.equal(find('subscription', `${topic}/billing`)?.action, 'create')
          const differs = find('queue', queue)
          assert.equal(differs?.action, 'mismatch')
          assert.deepEqual(
            differs?.differences.map((difference) => difference.argument),
            [argument],
          )
          assert.ok(plan.every((item) => item.nativeName !== ''))
        }
        await transport.declare({
          queues: [{ name: missing }],
          topics: [{ name: topic }],
          subscriptions: [{ topic, group: 'billing' }],
        })
        const after = await transport.plan({
          queues: [first, { name: missing }],
          subscriptions: [{ topic, group: 'billing' }],
        })
        assert.deepEqual(
          after.filter((item) => item.action !== 'none').map((item) => `${item.kind} ${item.name}`),
          [],
        )
      },
    },
  ],
}
