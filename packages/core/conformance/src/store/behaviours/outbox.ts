import assert from 'node:assert/strict'
import { message, take } from '../outbox-steps.ts'
import { leaseMs } from '../store-bench.ts'
import type { StoreArea } from '../store-behaviour.ts'

export const outbox: StoreArea = {
  title: 'Outbox',
  behaviours: [
    {
      id: 'o1',
      sentence:
        'Given messages that were appended, then a relay gets them in their order, as they were, and up to its limit',
      async run(bench) {
        const [writer, relay] = [await bench.open(), await bench.open()]
        const run = 'm'
        await writer.outbox.append([message(run, 'z'), message(run, 'a', 'k')])
        const odd = { id: `${run}/\u0161 '"%`, body: '{"text":"🐎\\u0000\\n"}', key: `${run}/ klíč` }
        await writer.outbox.append([odd])
        const first = await relay.outbox.claim({ limit: 2, leaseMs })
        assert.deepEqual(first.messages, [
          { ...message(run, 'z'), claims: 1 },
          { ...message(run, 'a', 'k'), claims: 1 },
        ])
        const second = await relay.outbox.claim({ limit: 2, leaseMs })
        assert.deepEqual(second.messages, [{ ...odd, claims: 1 }])
        assert.ok(second.fence > first.fence)
        assert.deepEqual((await take(relay)).ids, [])
      },
    },
    {
      id: 'o2',
      sentence: 'Given several relays at once, then no message is had by two of them',
      async run(bench) {
        const stores = [await bench.open(), await bench.open(), await bench.open()]
        const run = 'm'
        const all = Array.from({ length: 40 }, (_, index) => message(run, `${index + 10}`))
        await stores[0]!.outbox.append(all)
        const taken: string[] = []
        for (let round = 0; taken.length < all.length && round < 20; round += 1) {
          const batches = await Promise.all(stores.map(async (store) => take(store, 5)))
          taken.push(...batches.flatMap(({ ids }) => ids))
        }
        assert.deepEqual(
          taken.toSorted(),
          all.map(({ id }) => id),
        )
      },
    },
    {
      id: 'o3',
      sentence:
        'Given a relay that has died, then what it had is given out again when its lease ends, and counted',
      async run(bench) {
        const [dead, heir] = [await bench.open(), await bench.open()]
        const run = 'm'
        await heir.outbox.append([message(run, 'a', 'k'), message(run, 'b', 'k'), message(run, 'c')])
        assert.deepEqual((await take(dead)).words, ['a', 'b', 'c'])
        await bench.pass(leaseMs / 2)
        assert.deepEqual((await take(heir)).words, [])
        await bench.pass(leaseMs / 2)
        const { messages } = await heir.outbox.claim({ limit: 10, leaseMs })
        assert.deepEqual(
          messages.map(({ body, claims }) => `${body}${claims}`),
          ['a2', 'b2', 'c2'],
        )
      },
    },
    {
      id: 'o4',
      sentence: 'Given a message that was sent, then nobody gets it again, whoever had it when that was said',
      async run(bench) {
        const [slow, fast] = [await bench.open(), await bench.open()]
        const run = 'm'
        await slow.outbox.append([message(run, 'a'), message(run, 'b')])
        const had = await take(slow)
        await bench.pass(leaseMs)
        assert.deepEqual((await take(fast)).words, ['a', 'b'])
        await slow.outbox.sent([had.ids[0]!])
        // Again, and one that never was.
        await slow.outbox.sent([had.ids[0]!, `${run}/none`])
        await bench.pass(leaseMs)
        assert.deepEqual((await take(fast)).words, ['b'])
      },
    },
    {
      id: 'o5',
      sentence: 'Given messages that are released, then they can be had at once, or when their delay ends',
      async run(bench) {
        const store = await bench.open()
        const run = 'm'
        await store.outbox.append([message(run, 'a'), message(run, 'b'), message(run, 'c')])
        const { fence, ids } = await take(store)
        await store.outbox.release({ fence, ids: [ids[2]!] })
        await store.outbox.release({ fence, ids: [ids[0]!], delayMs: leaseMs / 2 })
        assert.deepEqual((await take(store)).words, ['c'])
        await bench.pass(leaseMs / 2)
        assert.deepEqual((await take(store)).words, ['a'])
      },
    },
    {
      id: 'o6',
      sentence:
        'Given a relay whose lease ran out, then its release does not take the message from who has it now',
      async run(bench) {
        const [stale, fresh] = [await bench.open(), await bench.open()]
        const run = 'm'
        await stale.outbox.append([message(run, 'a')])
        const had = await take(stale)
        await bench.pass(leaseMs)
        assert.deepEqual((await take(fresh)).words, ['a'])
        await stale.outbox.release({ fence: had.fence, ids: had.ids })
        assert.deepEqual((await take(stale)).words, [])
      },
    },
    {
      id: 'o7',
      sentence: 'Given an id that waits already, then appending it again changes nothing',
      async run(bench) {
        const store = await bench.open()
        const run = 'm'
        await store.outbox.append([message(run, 'a'), message(run, 'b')])
        await store.outbox.append([
          { ...message(run, 'a'), body: 'other' },
          message(run, 'c'),
          message(run, 'c'),
        ])
        const { messages } = await store.outbox.claim({ limit: 10, leaseMs })
        assert.deepEqual(
          messages.map(({ body }) => body),
          ['a', 'b', 'c'],
        )
        await store.outbox.append([message(run, 'b')])
        assert.deepEqual((await take(store)).words, [])
      },
    },
    {
      id: 'o8',
      sentence: 'Given messages that wait, then their number and the age of the oldest are known',
      async run(bench) {
        const store = await bench.open()
        const run = 'm'
        // Of a database that others use too.
        const before = (await store.outbox.depth()).waiting
        await store.outbox.append([message(run, 'a')])
        await bench.pass(leaseMs)
        await store.outbox.append([message(run, 'b')])
        const { ids } = await take(store)
        const { waiting, oldestMs = 0 } = await store.outbox.depth()
        assert.equal(waiting, before + 2)
        assert.ok(oldestMs >= leaseMs, `${oldestMs} ms`)
        await store.outbox.sent(ids)
        const after = await store.outbox.depth()
        if (after.waiting === 0) assert.equal(after.oldestMs, undefined)
        assert.ok(after.waiting <= before)
      },
    },
  ],
}
