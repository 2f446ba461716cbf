import assert from 'node:assert/strict'
import { claimOne, leaseMs, mustClaim } from '../store-bench.ts'
import type { StoreArea } from '../store-behaviour.ts'

const day = 86_400_000

export const claims: StoreArea = {
  title: 'Claims',
  behaviours: [
    {
      id: 'c1',
      sentence:
        'Given a key that is claimed, then others are told by whom and for how long, and the key stays claimed',
      async run(bench) {
        const [first, second] = [await bench.open(), await bench.open()]
        const key = 'order'
        assert.ok((await mustClaim(first, { key, owner: 'the first' })) >= 1)
        for (const store of [second, first]) {
          const answer = await claimOne(store, { key, owner: 'the second' })
          assert.equal(answer.status, 'inProgress')
          assert.ok(answer.status === 'inProgress' && answer.owner === 'the first')
          assert.ok(
            answer.remainingMs > leaseMs / 2 && answer.remainingMs <= leaseMs,
            `${answer.remainingMs} ms`,
          )
        }
        await mustClaim(second, { key: 'another' })
      },
    },
    {
      id: 'c2',
      sentence: 'Given many that claim one key at once, then exactly one gets it',
      async run(bench) {
        const stores = [await bench.open(), await bench.open(), await bench.open()]
        for (let round = 0; round < 5; round += 1) {
          const key = `order-${round}`
          const answers = await Promise.all(
            Array.from({ length: 12 }, async (_, index) =>
              claimOne(stores[index % 3]!, { key, owner: `${index}` }),
            ),
          )
          assert.equal(answers.filter(({ status }) => status === 'claimed').length, 1)
          assert.equal(answers.filter(({ status }) => status === 'inProgress').length, 11)
        }
      },
    },
    {
      id: 'c6',
      sentence:
        'Given a claim that is done, then everybody gets its result until its retention ends, and then it is new',
      async run(bench) {
        const [owner, other] = [await bench.open(), await bench.open()]
        const key = 'order'
        const fence = await mustClaim(owner, { key })
        const result = JSON.stringify({ charged: 12.5 })
        assert.deepEqual(await owner.claims.complete([{ key, fence, result, retentionMs: 10 * leaseMs }]), [
          'completed',
        ])
        for (const store of [owner, other]) {
          assert.deepEqual(await claimOne(store, { key }), { status: 'done', result })
        }
        // Longer than the lease, which no longer counts.
        await bench.pass(9 * leaseMs)
        assert.deepEqual(await claimOne(other, { key }), { status: 'done', result })
        await bench.pass(leaseMs)
        assert.ok((await mustClaim(other, { key })) > fence)
        assert.deepEqual(await owner.claims.complete([{ key, fence, retentionMs: day }]), ['lost'])
      },
    },
    {
      id: 'c7',
      sentence: 'Given no result, an empty one and a large one, then each is given back as it was',
      async run(bench) {
        const store = await bench.open()
        for (const [word, result] of Object.entries({
          none: undefined,
          empty: '',
          unicode: '{"text":"žluťoučký 🐎 \\u0000"}\n\t\'"%$1',
          large: 'x'.repeat(1_000_000),
        })) {
          const key = word
          const fence = await mustClaim(store, { key })
          await store.claims.complete([{ key, fence, result, retentionMs: day }])
          assert.deepEqual(await claimOne(store, { key }), { status: 'done', result }, word)
        }
      },
    },
    {
      id: 'c8',
      sentence:
        'Given a claim that is released, then another gets it at once and the releaser has it no more',
      async run(bench) {
        const [first, second] = [await bench.open(), await bench.open()]
        const key = 'order'
        const fence = await mustClaim(first, { key, payloadHash: 'a' })
        assert.deepEqual(await first.claims.release([{ key, fence }]), ['released'])
        assert.deepEqual(await first.claims.release([{ key, fence }]), ['lost'])
        // What was released has left no payload behind.
        assert.ok((await mustClaim(second, { key, payloadHash: 'b' })) > fence)
        assert.deepEqual(await first.claims.complete([{ key, fence, retentionMs: day }]), ['lost'])
        assert.deepEqual(await first.claims.renew([{ key, fence, leaseMs }]), ['lost'])
      },
    },
    {
      id: 'c10',
      sentence:
        'Given a claim that is done, then completing it again is fine, and it can neither be released nor renewed',
      async run(bench) {
        const store = await bench.open()
        const key = 'order'
        const fence = await mustClaim(store, { key })
        const completion = { key, fence, result: 'done', retentionMs: day }
        assert.deepEqual(await store.claims.complete([completion]), ['completed'])
        assert.deepEqual(await store.claims.complete([completion]), ['completed'])
        assert.deepEqual(await store.claims.release([{ key, fence }]), ['lost'])
        assert.deepEqual(await store.claims.renew([{ key, fence, leaseMs }]), ['lost'])
        assert.deepEqual(await claimOne(store, { key }), { status: 'done', result: 'done' })
      },
    },
    {
      id: 'c11',
      sentence:
        'Given the same key with another payload, then it is a conflict, whether in progress, done or abandoned',
      async run(bench) {
        const store = await bench.open()
        const key = 'order'
        const conflict = { status: 'conflict', payloadHash: 'one' }
        await mustClaim(store, { key, payloadHash: 'one' })
        assert.deepEqual(await claimOne(store, { key, payloadHash: 'two' }), conflict)
        await bench.pass(2 * leaseMs)
        assert.deepEqual(await claimOne(store, { key, payloadHash: 'two' }), conflict)
        const fence = await mustClaim(store, { key, payloadHash: 'one' })
        await store.claims.complete([{ key, fence, result: 'done', retentionMs: day }])
        assert.deepEqual(await claimOne(store, { key, payloadHash: 'two' }), conflict)
        assert.deepEqual(await claimOne(store, { key, payloadHash: 'one' }), {
          status: 'done',
          result: 'done',
        })
        assert.deepEqual(await claimOne(store, { key }), { status: 'done', result: 'done' })
      },
    },
    {
      id: 'c12',
      sentence:
        'Given a claim without a payload, then any payload is told that it is in progress, and may take it over',
      async run(bench) {
        const store = await bench.open()
        const key = 'order'
        await mustClaim(store, { key })
        assert.equal((await claimOne(store, { key, payloadHash: 'one' })).status, 'inProgress')
        await bench.pass(leaseMs)
        await mustClaim(store, { key, payloadHash: 'one' })
        assert.equal((await claimOne(store, { key, payloadHash: 'two' })).status, 'conflict')
      },
    },
  ],
}
