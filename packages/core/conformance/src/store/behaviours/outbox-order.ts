import assert from 'node:assert/strict'
import { message, take } from '../outbox-steps.ts'
import { leaseMs } from '../store-bench.ts'
import type { StoreArea } from '../store-behaviour.ts'

export const outboxOrder: StoreArea = {
  title: 'Outbox order',
  behaviours: [
    {
      id: 'k1',
      sentence:
        'Given messages of one key that a relay has, then no other gets the later ones, and those of other keys flow',
      async run(bench) {
        const [first, second] = [await bench.open(), await bench.open()]
        const run = 'm'
        await first.outbox.append([message(run, 'a1', 'a'), message(run, 'a2', 'a'), message(run, 'b1', 'b')])
        assert.deepEqual((await take(first, 1)).words, ['a1'])
        await first.outbox.append([message(run, 'a3', 'a'), message(run, 'x'), message(run, 'b2', 'b')])
        assert.deepEqual((await take(second)).words, ['b1', 'x', 'b2'])
        assert.deepEqual((await take(first)).words, [])
      },
    },
    {
      id: 'k2',
      sentence: 'Given the first of a key that was sent, then the next ones are given out, in their order',
      async run(bench) {
        const [first, second] = [await bench.open(), await bench.open()]
        const run = 'm'
        await first.outbox.append(['a1', 'a2', 'a3', 'a4'].map((word) => message(run, word, 'a')))
        const { ids } = await take(first, 2)
        await first.outbox.sent([ids[0]!])
        assert.deepEqual((await take(second)).words, [])
        await first.outbox.sent([ids[1]!])
        assert.deepEqual((await take(second, 1)).words, ['a3'])
        assert.deepEqual((await take(first)).words, [])
      },
    },
    {
      id: 'k3',
      sentence: 'Given the first of a key that waits for its delay, then those behind it wait with it',
      async run(bench) {
        const store = await bench.open()
        const run = 'm'
        await store.outbox.append([message(run, 'a1', 'a'), message(run, 'a2', 'a'), message(run, 'b1', 'b')])
        const { fence, ids } = await take(store)
        await store.outbox.release({ fence, ids: [ids[1]!, ids[2]!] })
        await store.outbox.release({ fence, ids: [ids[0]!], delayMs: leaseMs / 2 })
        assert.deepEqual((await take(store)).words, ['b1'])
        await bench.pass(leaseMs / 2)
        assert.deepEqual((await take(store)).words, ['a1', 'a2'])
      },
    },
    {
      id: 'k4',
      sentence:
        'Given the first of a key that is free and a later one that is held, then what is behind that one waits',
      async run(bench) {
        const [first, second] = [await bench.open(), await bench.open()]
        const run = 'm'
        await first.outbox.append(['a1', 'a2', 'a3'].map((word) => message(run, word, 'a')))
        const { fence, ids } = await take(first, 2)
        await first.outbox.release({ fence, ids: [ids[0]!] })
        assert.deepEqual((await take(second)).words, ['a1'])
        await second.outbox.sent([ids[0]!])
        assert.deepEqual((await take(second)).words, [])
      },
    },
    {
      id: 'k5',
      sentence:
        'Given relays that race for many keys, then those of each key come in their order and to one relay at a time',
      async run(bench) {
        const stores = [await bench.open(), await bench.open(), await bench.open()]
        const run = 'm'
        const words = Array.from({ length: 60 }, (_, index) => `${index % 4}-${index + 10}`)
        await stores[0]!.outbox.append(words.map((word) => message(run, word, word.slice(0, 1))))
        const sent: string[] = []
        for (let round = 0; sent.length < words.length && round < 100; round += 1) {
          const batches = await Promise.all(stores.map(async (store) => take(store, 7)))
          const keysOf = batches.map(({ words: taken }) => new Set(taken.map((word) => word.slice(0, 1))))
          assert.equal(
            keysOf.flatMap((keys) => [...keys]).length,
            new Set(keysOf.flatMap((keys) => [...keys])).size,
          )
          sent.push(...batches.flatMap(({ words: taken }) => taken))
          await Promise.all(batches.map(async ({ ids }, index) => stores[index]!.outbox.sent(ids)))
        }
        for (const key of ['0', '1', '2', '3']) {
          const own = (word: string): boolean => word.startsWith(key)
          assert.deepEqual(sent.filter(own), words.filter(own))
        }
      },
    },
    {
      id: 'k6',
      sentence:
        'Given a key that is held with hundreds behind it, then messages after them do not wait for it',
      async run(bench) {
        const [first, second] = [await bench.open(), await bench.open()]
        const run = 'm'
        const backlog = Array.from({ length: 400 }, (_, index) => message(run, `a${index}`, 'a'))
        await first.outbox.append(backlog)
        assert.deepEqual((await take(first, 1)).words, ['a0'])
        await first.outbox.append([message(run, 'b1', 'b'), message(run, 'x'), message(run, 'b2', 'b')])
        const once = await take(second, 3)
        await second.outbox.sent(once.ids)
        const again = await take(second, 3)
        assert.ok(once.words.includes('b1') && once.words.includes('x'), once.words.join(' '))
        assert.deepEqual([...once.words, ...again.words].toSorted(), ['b1', 'b2', 'x'])
      },
    },
  ],
}
