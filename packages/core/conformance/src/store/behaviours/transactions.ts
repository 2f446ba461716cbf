import assert from 'node:assert/strict'
import { claimOne, leaseMs, mustClaim, whileHeld } from '../store-bench.ts'
import type { StoreArea } from '../store-behaviour.ts'

export const transactions: StoreArea = {
  title: 'Transactions',
  behaviours: [
    {
      id: 't1',
      sentence:
        "Given a user's transaction that commits, then the claim, the record and the outbox message in it are there",
      needsTransactions: true,
      async run(bench) {
        const store = await bench.open()
        const [key, collection] = ['order', 'sagas']
        const open = await bench.begin()
        const inside = store.in(open.transaction)
        const fence = await mustClaim(inside, { key })
        assert.equal((await claimOne(inside, { key })).status, 'inProgress')
        const completion = { key, fence, result: 'paid', retentionMs: leaseMs }
        assert.deepEqual(await inside.claims.complete([completion]), ['completed'])
        await inside.records.put([{ collection, key, expectedVersion: 0, value: 'x' }])
        assert.equal((await inside.records.get([{ collection, key }]))[0]?.value, 'x')
        await inside.outbox.append([{ id: key, body: 'paid' }])
        await open.commit()
        assert.deepEqual(await claimOne(store, { key }), { status: 'done', result: 'paid' })
        assert.equal((await store.records.get([{ collection, key }]))[0]?.value, 'x')
        const { messages } = await store.outbox.claim({ limit: 1_000, leaseMs })
        assert.ok(messages.some(({ id }) => id === key))
      },
    },
    {
      id: 't2',
      sentence: "Given a user's transaction that is rolled back, then nothing of it is there",
      needsTransactions: true,
      async run(bench) {
        const store = await bench.open()
        const [key, collection] = ['order', 'sagas']
        const open = await bench.begin()
        const inside = store.in(open.transaction)
        const fence = await mustClaim(inside, { key })
        await inside.claims.complete([{ key, fence, retentionMs: leaseMs }])
        const outbox = [{ id: 'of-the-record', body: 'x' }]
        await inside.records.put([{ collection, key, expectedVersion: 0, value: 'x', outbox }])
        await inside.outbox.append([{ id: key, body: 'paid' }])
        await open.rollback()
        await mustClaim(store, { key })
        assert.deepEqual(await store.records.get([{ collection, key }]), [undefined])
        const { messages } = await store.outbox.claim({ limit: 1_000, leaseMs })
        assert.ok(messages.every(({ id }) => id !== key && id !== outbox[0]?.id))
      },
    },
    {
      id: 't3',
      sentence:
        'Given a claim in a transaction that is open, then another does not get it, and learns that it is done when that commits',
      needsTransactions: true,
      async run(bench) {
        const store = await bench.open()
        const key = 'order'
        const open = await bench.begin()
        const inside = store.in(open.transaction)
        const fence = await mustClaim(inside, { key })
        await inside.claims.complete([{ key, fence, result: 'paid', retentionMs: leaseMs }])
        const answer = await whileHeld(async () => claimOne(store, { key }), open.commit)
        assert.deepEqual(answer, { status: 'done', result: 'paid' })
      },
    },
    {
      id: 't4',
      sentence: 'Given a claim in a transaction that is open, then another gets it when that is rolled back',
      needsTransactions: true,
      async run(bench) {
        const store = await bench.open()
        const key = 'order'
        const open = await bench.begin()
        await mustClaim(store.in(open.transaction), { key })
        const answer = await whileHeld(async () => claimOne(store, { key }), open.rollback)
        assert.equal(answer.status, 'claimed')
      },
    },
    {
      id: 't5',
      sentence:
        'Given a claim made outside and completed in a transaction that is rolled back, then it is still in progress and its own',
      needsTransactions: true,
      async run(bench) {
        const store = await bench.open()
        const key = 'order'
        const fence = await mustClaim(store, { key })
        const completion = { key, fence, result: 'paid', retentionMs: leaseMs }
        const first = await bench.begin()
        assert.deepEqual(await store.in(first.transaction).claims.complete([completion]), ['completed'])
        await first.rollback()
        assert.equal((await claimOne(store, { key })).status, 'inProgress')
        const second = await bench.begin()
        assert.deepEqual(await store.in(second.transaction).claims.complete([completion]), ['completed'])
        await second.commit()
        assert.deepEqual(await claimOne(store, { key }), { status: 'done', result: 'paid' })
      },
    },
    {
      id: 't6',
      sentence:
        'Given an owner whose claim was taken over, then completing it in a transaction tells it so before the commit',
      needsTransactions: true,
      async run(bench) {
        const [stale, fresh] = [await bench.open(), await bench.open()]
        const key = 'order'
        const fence = await mustClaim(stale, { key })
        await bench.pass(leaseMs)
        await mustClaim(fresh, { key })
        const open = await bench.begin()
        const completion = { key, fence, retentionMs: leaseMs }
        assert.deepEqual(await stale.in(open.transaction).claims.complete([completion]), ['lost'])
        await open.rollback()
        assert.equal((await claimOne(stale, { key })).status, 'inProgress')
      },
    },
    {
      id: 't7',
      sentence:
        'Given an outbox message of a transaction that commits late, then a relay that was past its place still gets it',
      needsTransactions: true,
      async run(bench) {
        const [store, relay] = [await bench.open(), await bench.open()]
        const run = 'm'
        const own = async (): Promise<string[]> => {
          const { messages } = await relay.outbox.claim({ limit: 1_000, leaseMs })
          const ids = messages.map(({ id }) => id).filter((id) => id.startsWith(run))
          await relay.outbox.sent(ids)
          return ids.map((id) => id.slice(run.length))
        }
        const late = await bench.begin()
        await store.in(late.transaction).outbox.append([{ id: `${run}-late`, body: 'x', key: `${run}-key` }])
        const early = async (): Promise<string[]> => {
          await store.outbox.append([{ id: `${run}-early`, body: 'y', key: `${run}-key` }])
          return own()
        }
        // A database with one writer has the second wait for the first, and then both are sent in their order.
        const sent = await whileHeld(early, late.commit)
        assert.deepEqual([...sent, ...(await own())].toSorted(), ['-early', '-late'])
      },
    },
    {
      id: 't8',
      sentence: 'Given an outbox message of a transaction that is open, then no relay gets it',
      needsTransactions: true,
      async run(bench) {
        const store = await bench.open()
        const id = 'order'
        const open = await bench.begin()
        await store.in(open.transaction).outbox.append([{ id, body: 'x' }])
        const claim = async () => store.outbox.claim({ limit: 1_000, leaseMs })
        const { messages } = await whileHeld(claim, open.rollback)
        assert.ok(messages.every((message) => message.id !== id))
      },
    },
  ],
}
