import assert from 'node:assert/strict'
import { getOne, keys, putOne } from '../record-steps.ts'
import { leaseMs } from '../store-bench.ts'
import type { StoreArea } from '../store-behaviour.ts'

export const records: StoreArea = {
  title: 'Records',
  behaviours: [
    {
      id: 'r1',
      sentence: 'Given a new record, then it is there as it was written, and nobody can create it again',
      async run(bench) {
        const [store, other] = [await bench.open(), await bench.open()]
        const id = { collection: 'sagas', key: 'order-1' }
        assert.equal(await getOne(store, id), undefined)
        const version = await putOne(store, {
          ...id,
          expectedVersion: 0,
          value: '{"step":"pay"}',
          index: 'running',
        })
        assert.ok(typeof version === 'number' && version >= 1)
        const wanted = { ...id, version, value: '{"step":"pay"}', index: 'running', dueAt: undefined }
        assert.deepEqual(await getOne(other, id), wanted)
        assert.equal(await putOne(other, { ...id, expectedVersion: 0, value: 'x' }), 'conflict')
        assert.deepEqual(await getOne(store, id), wanted)
        const elsewhere = { collection: 'others', key: id.key }
        assert.deepEqual(await store.records.get([elsewhere, id, { ...id, key: 'order-2' }]), [
          undefined,
          wanted,
          undefined,
        ])
      },
    },
    {
      id: 'r2',
      sentence:
        'Given a write with the version that was read, then it replaces all of the record; with an older one it is a conflict',
      async run(bench) {
        const store = await bench.open()
        const id = { collection: 'sagas', key: 'order-1' }
        const first = await putOne(store, {
          ...id,
          expectedVersion: 0,
          value: 'one',
          index: 'running',
          due: { inMs: 1_000 },
          expiresInMs: leaseMs,
        })
        assert.ok(first !== 'conflict')
        const second = await putOne(store, { ...id, expectedVersion: first, value: '' })
        assert.ok(second !== 'conflict' && second > first)
        for (const stale of [first, 0, second + 1]) {
          assert.equal(await putOne(store, { ...id, expectedVersion: stale, value: 'stale' }), 'conflict')
        }
        // Its expiry, due time and index are gone.
        await bench.pass(2 * leaseMs)
        assert.deepEqual(await getOne(store, id), {
          ...id,
          version: second,
          value: '',
          index: undefined,
          dueAt: undefined,
        })
        const absent = { ...id, key: 'order-2' }
        assert.equal(await putOne(store, { ...absent, expectedVersion: second, value: 'x' }), 'conflict')
        assert.equal(await getOne(store, absent), undefined)
      },
    },
    {
      id: 'r3',
      sentence: 'Given many that change one record at once, then none of the changes is lost',
      async run(bench) {
        const stores = [await bench.open(), await bench.open(), await bench.open()]
        const id = { collection: 'counters', key: 'count' }
        const writers = 6
        const each = 5
        await putOne(stores[0]!, { ...id, expectedVersion: 0, value: '0' })
        await Promise.all(
          Array.from({ length: writers }, async (_, writer) => {
            const store = stores[writer % stores.length]!
            // Of those that race, one is the first each time.
            for (let done = 0, tries = 0; done < each && tries < writers * each; tries += 1) {
              const known = await getOne(store, id)
              assert.ok(known)
              const value = String(Number(known.value) + 1)
              if ((await putOne(store, { ...id, expectedVersion: known.version, value })) !== 'conflict')
                done += 1
            }
          }),
        )
        assert.equal((await getOne(stores[0]!, id))?.value, String(writers * each))
      },
    },
    {
      id: 'r4',
      sentence: 'Given a record past its expiry, then it is absent, and no version of it ever comes back',
      async run(bench) {
        const store = await bench.open()
        const id = { collection: 'sagas', key: 'order-1' }
        const write = { ...id, value: 'x', index: 'running', due: { inMs: 0 }, expiresInMs: leaseMs }
        const first = await putOne(store, { ...write, expectedVersion: 0 })
        assert.ok(first !== 'conflict')
        await bench.pass(leaseMs)
        assert.equal(await getOne(store, id), undefined)
        assert.deepEqual(await store.records.list({ collection: id.collection, limit: 10 }), [])
        assert.deepEqual(
          await store.records.list({ collection: id.collection, index: 'running', limit: 10 }),
          [],
        )
        assert.deepEqual(await store.records.takeDue({ collection: id.collection, limit: 10, leaseMs }), [])
        assert.equal(await putOne(store, { ...write, expectedVersion: first }), 'conflict')
        const second = await putOne(store, { ...write, expectedVersion: 0 })
        assert.ok(second !== 'conflict' && second > first)
        assert.equal(await putOne(store, { ...write, expectedVersion: first }), 'conflict')
        assert.equal((await getOne(store, id))?.version, second)
      },
    },
    {
      id: 'r5',
      sentence: 'Given a batch of writes, then each is stored or refused by itself, with its outbox messages',
      async run(bench) {
        const store = await bench.open()
        const collection = 'sagas'
        const known = await putOne(store, { collection, key: 'b', expectedVersion: 0, value: 'old' })
        assert.ok(known !== 'conflict')
        const message = (word: string) => ({ id: word, body: word, key: 'key' })
        const answers = await store.records.put([
          { collection, key: 'c', expectedVersion: 0, value: 'c', outbox: [message('c1'), message('c2')] },
          { collection, key: 'b', expectedVersion: 0, value: 'new', outbox: [message('no')] },
          { collection, key: 'a', expectedVersion: known, value: 'a', outbox: [message('neither')] },
          { collection, key: 'b', expectedVersion: known, value: 'b', outbox: [message('b1')] },
        ])
        assert.deepEqual(
          answers.map(({ status }) => status),
          ['stored', 'conflict', 'conflict', 'stored'],
        )
        const stored = await store.records.list({ collection, limit: 10 })
        assert.deepEqual(
          stored.map(({ key, value }) => [key, value]),
          [
            ['b', 'b'],
            ['c', 'c'],
          ],
        )
        const { messages } = await store.outbox.claim({ limit: 1_000, leaseMs })
        const own = messages.filter(({ key }) => key === 'key').map(({ body }) => body)
        assert.deepEqual(own, ['c1', 'c2', 'b1'])
      },
    },
    {
      id: 'r6',
      sentence:
        'Given many records, then they are listed by key in pages, by index where one is given, and only of their collection',
      async run(bench) {
        const store = await bench.open()
        const collection = 'sagas'
        // In the order of their bytes.
        const ordered = ['A', 'B', 'a', 'a b', 'a-', 'ab', 'z', 'é', 'ｚ', '😀']
        const writes = ordered.map((key, index) => ({
          collection,
          key,
          expectedVersion: 0,
          value: key,
          index: index % 3 === 0 ? 'parked' : 'running',
        }))
        await store.records.put(writes.toReversed())
        await putOne(store, { collection: 'others', key: 'ac', expectedVersion: 0, value: 'x' })

        assert.deepEqual(keys(await store.records.list({ collection, limit: 100 })), ordered)
        const paged: string[] = []
        for (let pages = 0; pages < 10; pages += 1) {
          const page = await store.records.list({ collection, after: paged.at(-1), limit: 4 })
          paged.push(...keys(page))
        }
        assert.deepEqual(paged, ordered)
        const parked = { collection, index: 'parked', limit: 3 }
        assert.deepEqual(keys(await store.records.list(parked)), ['A', 'a b', 'z'])
        assert.deepEqual(keys(await store.records.list({ ...parked, after: 'z' })), ['😀'])

        const [last] = await store.records.list({ ...parked, after: 'z' })
        await putOne(store, {
          collection,
          key: '😀',
          expectedVersion: last!.version,
          value: 'x',
          index: 'done',
        })
        assert.deepEqual(keys(await store.records.list({ ...parked, after: 'z' })), [])
        assert.deepEqual(keys(await store.records.list({ collection, index: 'done', limit: 3 })), ['😀'])
      },
    },
  ],
}
