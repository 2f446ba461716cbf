import assert from 'node:assert/strict'
import { fixed, type DeadLetter, type DeadLetterChoice, type Transport } from '@posthorn/transport'
import { rejection } from '../bench/errors.ts'
import { numbers } from '../bench/numbers.ts'
import type { Bench } from '../bench/bench.ts'
import type { Recorder } from '../bench/recorder.ts'
import type { Area } from '../behaviour.ts'

/** A queue with `count` dead letters, whose consumer handles what is replayed. */
async function withDeadLetters(
  bench: Bench,
  count: number,
): Promise<{ queue: string; transport: Transport; seen: Recorder; replayed: () => number[] }> {
  const queue = bench.name('orders')
  const transport = await bench.open()
  const seen = bench.record()
  await transport.consume(
    queue,
    seen.handler(({ context, message }) =>
      message.replays === 0 ? context.deadLetter({ reason: 'first-time' }) : 'done',
    ),
    { concurrency: 1 },
  )
  await transport.sendMany(
    queue,
    numbers(count).map((data) => ({ data, id: `order-${data}`, key: 'a' })),
  )
  await bench.deadLetters(transport, queue, count)
  return {
    queue,
    transport,
    seen,
    replayed: () =>
      seen.calls
        .filter((call) => call.message.replays > 0)
        .map((call) => call.data as number)
        .toSorted((a, b) => a - b),
  }
}

const ids = (entries: readonly DeadLetter[]): string[] => entries.map((entry) => entry.id)

export const deadLetterPasses: Area = {
  title: 'Passes over dead letters',
  behaviours: [
    {
      id: '62',
      sentence:
        'Given pages of dead letters, then the cursor of one leads to the next, oldest first, and nothing is changed',
      needs: { features: ['deadLetterPass'] },
      async run(bench) {
        const { queue, transport } = await withDeadLetters(bench, 5)
        const letters = transport.deadLetters(queue)
        const first = await letters.page({ limit: 2 })
        assert.ok(first.cursor !== undefined)
        const second = await letters.page({ limit: 2, cursor: first.cursor })
        assert.ok(second.cursor !== undefined)
        const third = await letters.page({ limit: 2, cursor: second.cursor })
        assert.equal(third.cursor, undefined)
        assert.deepEqual(
          [first, second, third].map((page) => ids(page.entries)),
          [['order-0', 'order-1'], ['order-2', 'order-3'], ['order-4']],
        )
        const all = await letters.page()
        assert.equal(all.cursor, undefined)
        assert.deepEqual(
          ids(all.entries),
          numbers(5).map((data) => `order-${data}`),
        )
        assert.equal(new Set(all.entries.map((entry) => entry.entryId)).size, 5)
        assert.equal(await letters.count(), 5)
      },
    },
    {
      id: '63',
      sentence:
        'Given a pass that keeps, replays and discards, then each decision is carried out and nothing else',
      needs: { features: ['deadLetterPass'] },
      async run(bench) {
        const { queue, transport, replayed } = await withDeadLetters(bench, 6)
        const letters = transport.deadLetters(queue)
        const order: string[] = []
        const report = await letters.pass(async (entry) => {
          order.push(entry.id)
          await bench.pause(10)
          return (['keep', 'replay', 'discard'] as const)[Number(entry.id.slice(-1)) % 3] ?? 'keep'
        })
        assert.deepEqual(report, { kept: 2, replayed: 2, discarded: 2, failed: 0 })
        assert.deepEqual(
          order,
          numbers(6).map((data) => `order-${data}`),
          'oldest first',
        )
        await bench.until('the replayed ones are handled', () => replayed().length >= 2)
        await bench.quiet()
        assert.deepEqual(replayed(), [1, 4])
        assert.deepEqual(ids((await letters.page()).entries), ['order-0', 'order-3'])
      },
    },
    {
      id: '63b',
      sentence: 'Given `replay` and `discard` by id, then only those entries are touched',
      needs: { features: ['deadLetterPass'] },
      async run(bench) {
        const { queue, transport, replayed } = await withDeadLetters(bench, 5)
        const letters = transport.deadLetters(queue)
        const { entries } = await letters.page()
        const entryId = (data: number): string =>
          entries.find((entry) => entry.id === `order-${data}`)?.entryId ?? ''
        const replay = await letters.replay([entryId(1), entryId(3)])
        assert.deepEqual([replay.replayed, replay.discarded, replay.failed], [2, 0, 0])
        const discard = await letters.discard([entryId(0), 'not-there'])
        assert.deepEqual([discard.replayed, discard.discarded, discard.failed], [0, 1, 0])
        await bench.until('the replayed ones are handled', () => replayed().length >= 2)
        await bench.quiet()
        assert.deepEqual(replayed(), [1, 3])
        assert.deepEqual(ids((await letters.page()).entries), ['order-2', 'order-4'])
        assert.equal((await letters.discard('all')).discarded, 2)
        assert.equal(await letters.count(), 0)
      },
    },
    {
      id: '63c',
      sentence:
        'Given a pass that edits, then the copy goes to its own source only, with its own id and what was left as it was',
      needs: { features: ['deadLetterPass'] },
      async run(bench) {
        const topic = bench.name('events')
        const transport = await bench.open()
        const billing = bench.record()
        const shipping = bench.record()
        const picky = billing.handler(({ context, message }) =>
          message.data === 'broken' ? context.deadLetter({ reason: 'broken' }) : 'done',
        )
        await transport.subscribe(topic, picky, { group: 'billing' })
        await transport.subscribe(topic, shipping.handler(), { group: 'shipping' })
        await transport.publish(topic, {
          id: 'event-1',
          type: 'order.created',
          data: 'broken',
          key: 'a',
          headers: { tenant: 'acme' },
        })
        const letters = transport.deadLetters({ topic, group: 'billing' })
        await bench.deadLetters(transport, { topic, group: 'billing' }, 1)
        const report = await letters.pass(() => ({ edit: { id: 'event-1b', data: 'mended' } }))
        assert.deepEqual(report, { kept: 0, replayed: 1, discarded: 0, failed: 0 })
        await bench.until('the copy is handled', () => billing.calls.length >= 2)
        await bench.quiet()
        assert.deepEqual(
          billing.calls.map(({ id, data, attempt, message }) =>
            [id, data, attempt, message.replays, message.type, message.key, message.headers['tenant']].join(
              ' ',
            ),
          ),
          ['event-1 broken 1 0 order.created a acme', 'event-1b mended 1 1 order.created a acme'],
        )
        assert.equal(billing.calls[1]?.message.causationId, 'event-1')
        assert.deepEqual(
          shipping.calls.map((call) => call.id),
          ['event-1'],
        )
        assert.equal(await letters.count(), 0)
      },
    },
    {
      id: '64',
      sentence:
        'Given a replay, then the message has its id, a fresh budget and a replay more, and goes to its own source only',
      needs: { features: ['deadLetterPass'] },
      async run(bench) {
        const topic = bench.name('events')
        const transport = await bench.open()
        const billing = bench.record()
        const shipping = bench.record()
        const failing = billing.handler(() => {
          throw new Error('never')
        })
        await transport.subscribe(topic, failing, {
          group: 'billing',
          maxAttempts: 3,
          retryDelay: fixed(1_000),
        })
        await transport.subscribe(topic, shipping.handler(), { group: 'shipping' })
        await transport.publish(topic, { data: 'a', id: 'event-1', headers: { tenant: 'acme' } })
        const letters = transport.deadLetters({ topic, group: 'billing' })
        await bench.deadLetters(transport, { topic, group: 'billing' }, 1)
        const report = await letters.replay('all')
        assert.deepEqual(report, { kept: 0, replayed: 1, discarded: 0, failed: 0 })
        await bench.deadLetters(transport, { topic, group: 'billing' }, 1)
        await bench.quiet()
        assert.deepEqual(
          billing.calls.map(
            (call) => `${call.id} ${call.attempt} ${call.message.replays} ${call.message.headers['tenant']}`,
          ),
          [1, 2, 3]
            .map((attempt) => `event-1 ${attempt} 0 acme`)
            .concat([1, 2, 3].map((attempt) => `event-1 ${attempt} 1 acme`)),
        )
        assert.deepEqual(shipping.ids, ['event-1'], 'the other group gets it once')
        const [entry] = (await letters.page()).entries
        assert.deepEqual([entry?.id, entry?.attempts, entry?.replays], ['event-1', 3, 1])
      },
    },
    {
      id: '65',
      sentence:
        'Given an open pass, then a second one gets `DeadLettersBusy`, from the same process or another, until it is closed',
      needs: { features: ['deadLetterPass'] },
      async run(bench) {
        const { queue, transport } = await withDeadLetters(bench, 3)
        const other = await bench.open()
        const gate = bench.gate()
        let begun = false
        const first = bench.later(
          transport.deadLetters(queue).pass(async (): Promise<DeadLetterChoice> => {
            begun = true
            await gate.opened
            return 'keep'
          }),
        )
        await bench.until('the pass has begun', () => begun)
        for (const process of [transport, other]) {
          await rejection('a second pass', process.deadLetters(queue).replay('all'), {
            code: 'POSTHORN_DEAD_LETTERS_BUSY',
            retryable: true,
          })
        }
        gate.open()
        assert.deepEqual(await first, { kept: 3, replayed: 0, discarded: 0, failed: 0 })
        assert.equal((await other.deadLetters(queue).discard('all')).discarded, 3)
      },
    },
    {
      id: '66',
      sentence:
        'Given dead letters that come while a pass runs, then it ends at the end that it saw when it began',
      needs: { features: ['deadLetterPass'] },
      async run(bench) {
        const count = 120
        const queue = bench.name('orders')
        const transport = await bench.open()
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(({ context }) => context.deadLetter({ reason: 'always' })),
        )
        await transport.sendMany(
          queue,
          numbers(count).map((data) => ({ data })),
        )
        await bench.deadLetters(transport, queue, count)
        let decided = 0
        // What is replayed first is back before the last ones have been decided on.
        const report = await transport.deadLetters(queue).pass(async (): Promise<DeadLetterChoice> => {
          decided += 1
          await bench.pause(10)
          return 'replay'
        })
        assert.deepEqual(report, { kept: 0, replayed: count, discarded: 0, failed: 0 })
        assert.equal(decided, count)
        await bench.deadLetters(transport, queue, count)
        await bench.quiet()
        assert.equal(seen.calls.length, 2 * count)
        const { entries } = await transport.deadLetters(queue).page({ limit: count })
        assert.deepEqual(new Set(entries.map((entry) => entry.replays)), new Set([1]))
      },
    },
    {
      id: '67',
      sentence:
        'Given a pass whose process is killed midway, then nothing is lost, and another process can go on',
      needs: { features: ['deadLetterPass'], faults: ['kill'] },
      async run(bench) {
        const { queue, transport, replayed } = await withDeadLetters(bench, 8)
        const operator = await bench.open()
        let decided = 0
        const gate = bench.gate()
        // How it ends for the process that is gone does not matter.
        void bench.later(
          operator.deadLetters(queue).pass(async (): Promise<DeadLetterChoice> => {
            decided += 1
            if (decided === 4) await gate.opened
            return 'replay'
          }),
        )
        await bench.until('the pass is in its middle', () => decided === 4)
        await bench.faults.kill(operator)
        gate.open()
        const letters = transport.deadLetters(queue)
        let report: Awaited<ReturnType<typeof letters.replay>> | undefined
        await bench.until('another process can go on', async () => {
          try {
            report = await letters.replay('all')
            return true
          } catch {
            return false
          }
        })
        assert.equal(report?.failed, 0)
        await bench.until('all are handled', () => new Set(replayed()).size === 8)
        await bench.quiet()
        assert.equal(await letters.count(), 0)
      },
    },
    {
      id: '68',
      sentence:
        'Given a decision that throws, or an aborted signal, then what was decided is carried out, the rest kept, and the pass closed',
      needs: { features: ['deadLetterPass'] },
      async run(bench) {
        const { queue, transport, replayed } = await withDeadLetters(bench, 6)
        const letters = transport.deadLetters(queue)
        let decided = 0
        const broken = letters.pass(() => {
          decided += 1
          if (decided === 3) throw new Error('a decision that fails')
          return 'replay'
        })
        await assert.rejects(broken, /a decision that fails/)
        await bench.until('two are replayed', () => replayed().length >= 2)
        assert.equal(await letters.count(), 4)
        const controller = new AbortController()
        const report = await letters.pass(
          () => {
            controller.abort()
            return 'discard'
          },
          { signal: controller.signal },
        )
        assert.deepEqual([report.replayed, report.discarded, report.failed], [0, 1, 0])
        await bench.quiet()
        assert.equal(await letters.count(), 3)
        assert.deepEqual(replayed(), [0, 1])
      },
    },
  ],
}
