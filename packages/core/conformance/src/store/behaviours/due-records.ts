import assert from 'node:assert/strict'
import { getOne, keys, putOne } from '../record-steps.ts'
import { leaseMs } from '../store-bench.ts'
import type { StoreArea } from '../store-behaviour.ts'

export const dueRecords: StoreArea = {
  title: 'Due records',
  behaviours: [
    {
      id: 'd1',
      sentence:
        'Given records with due times, then they are taken when their time has come, the earliest first',
      async run(bench) {
        const store = await bench.open()
        const collection = 'sagas'
        const due = { late: 50_000, early: 10_000, never: undefined, middle: 30_000 }
        await store.records.put(
          Object.entries(due).map(([key, inMs]) => ({
            collection,
            key,
            expectedVersion: 0,
            value: key,
            due: inMs === undefined ? undefined : { inMs },
          })),
        )
        const take = async (limit: number): Promise<string[]> =>
          keys(await store.records.takeDue({ collection, limit, leaseMs: 1_000_000 }))
        assert.deepEqual(await take(10), [])
        await bench.pass(31_000)
        assert.deepEqual(await take(1), ['early'])
        assert.deepEqual(await take(10), ['middle'])
        await bench.pass(31_000)
        assert.deepEqual(await take(10), ['late'])
        assert.deepEqual(await take(10), [])
        assert.deepEqual(await store.records.takeDue({ collection: 'others', limit: 10, leaseMs }), [])
      },
    },
    {
      id: 'd2',
      sentence:
        'Given one that was taken, then it is due again when the lease ends, with the same version, unless it is written',
      async run(bench) {
        const [store, other] = [await bench.open(), await bench.open()]
        const collection = 'sagas'
        const id = { collection, key: 'order-1' }
        const version = await putOne(store, { ...id, expectedVersion: 0, value: 'x', due: { inMs: 0 } })
        assert.ok(version !== 'conflict')
        const query = { collection, limit: 10, leaseMs }
        const [taken] = await store.records.takeDue(query)
        assert.ok(taken)
        assert.equal(taken.version, version)
        const now = await store.now()
        assert.ok(taken.dueAt !== undefined && taken.dueAt > now && taken.dueAt <= now + leaseMs)
        assert.deepEqual(await other.records.takeDue(query), [])
        await bench.pass(leaseMs)
        assert.deepEqual(keys(await other.records.takeDue(query)), ['order-1'])
        await bench.pass(leaseMs)
        const written = await putOne(other, {
          ...id,
          expectedVersion: version,
          value: 'y',
          due: { inMs: leaseMs },
        })
        assert.ok(written !== 'conflict')
        assert.deepEqual(await store.records.takeDue(query), [])
        await bench.pass(leaseMs)
        assert.deepEqual(
          (await store.records.takeDue(query)).map((record) => record.value),
          ['y'],
        )
      },
    },
    {
      id: 'd3',
      sentence: 'Given several that take at once, then no record is had by two of them',
      async run(bench) {
        const stores = [await bench.open(), await bench.open(), await bench.open()]
        const collection = 'sagas'
        const all = Array.from({ length: 30 }, (_, index) => `order-${index + 10}`)
        await stores[0]!.records.put(
          all.map((key) => ({ collection, key, expectedVersion: 0, value: 'x', due: { inMs: 0 } })),
        )
        const taken: string[] = []
        for (let round = 0; taken.length < all.length && round < 20; round += 1) {
          const pages = await Promise.all(
            stores.map(async (store) => store.records.takeDue({ collection, limit: 4, leaseMs })),
          )
          taken.push(...pages.flatMap(keys))
        }
        assert.deepEqual(taken.toSorted(), all)
      },
    },
    {
      id: 'd4',
      sentence: "Given a due time on the database's clock, then it is that one which is stored and kept to",
      async run(bench) {
        const store = await bench.open()
        const id = { collection: 'sagas', key: 'order-1' }
        const at = (await store.now()) + leaseMs
        await putOne(store, { ...id, expectedVersion: 0, value: 'x', due: { at } })
        assert.equal((await getOne(store, id))?.dueAt, at)
        const query = { collection: id.collection, limit: 1, leaseMs }
        assert.deepEqual(await store.records.takeDue(query), [])
        await bench.pass(leaseMs)
        assert.deepEqual(keys(await store.records.takeDue(query)), ['order-1'])
      },
    },
  ],
}
