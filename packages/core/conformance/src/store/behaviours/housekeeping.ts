import assert from 'node:assert/strict'
import { claimOne, leaseMs, mustClaim, rejects } from '../store-bench.ts'
import type { StoreArea } from '../store-behaviour.ts'

export const housekeeping: StoreArea = {
  title: 'Housekeeping',
  behaviours: [
    {
      id: 'h1',
      sentence: 'Given a store that is migrated, then migrating it again, several at once, changes nothing',
      async run(bench) {
        const stores = [await bench.open(), await bench.open()]
        const key = 'order'
        await mustClaim(stores[0]!, { key })
        await Promise.all([...stores, ...stores].map(async (store) => store.migrate()))
        assert.equal((await claimOne(stores[1]!, { key })).status, 'inProgress')
      },
    },
    {
      id: 'h2',
      sentence:
        'Given claims and records of which some have expired, then sweeping removes those, in batches, and no others',
      async run(bench) {
        const store = await bench.open()
        const collection = 'sagas'
        const words = Array.from({ length: 7 }, (_, index) => `${index}`)
        for (const [life, retentionMs] of [
          ['short', leaseMs],
          ['long', 3 * leaseMs],
        ] as const) {
          for (const word of words) {
            const key = `${life}-${word}`
            const fence = await mustClaim(store, { key })
            await store.claims.complete([{ key, fence, retentionMs }])
          }
          await store.records.put(
            words.map((word) => ({
              collection,
              key: `${life}-${word}`,
              expectedVersion: 0,
              value: 'x',
              expiresInMs: retentionMs,
            })),
          )
        }
        await mustClaim(store, { key: 'running' })
        await bench.pass(2 * leaseMs)
        let removed = 0
        for (let round = 0; round < 10_000; round += 1) {
          const count = await store.sweep({ limit: 3 })
          assert.ok(count <= 6, `${count} in one batch of 3`)
          if (count === 0) break
          removed += count
        }
        assert.ok(removed >= words.length, `${removed} removed`)
        for (const word of words) {
          assert.equal((await claimOne(store, { key: `long-${word}` })).status, 'done')
        }
        const left = await store.records.list({ collection, limit: 100 })
        assert.deepEqual(
          left.map(({ key }) => key),
          words.map((word) => `long-${word}`),
        )
        const fence = await mustClaim(store, { key: 'short-0' })
        assert.deepEqual(await store.claims.release([{ key: 'short-0', fence }]), ['released'])
      },
    },
    {
      id: 'h3',
      sentence: "Given a store, then it tells the time of the database's clock, the same to everybody",
      async run(bench) {
        const [store, other] = [await bench.open(), await bench.open()]
        const first = await store.now()
        const second = await other.now()
        assert.ok(Number.isSafeInteger(first) && first > Date.UTC(2020), `${first}`)
        assert.ok(second >= first && second < first + leaseMs)
      },
    },
    {
      id: 'h4',
      sentence:
        'Given a request that cannot work, then it is refused with its place and value, and nothing of its batch is done',
      async run(bench) {
        const store = await bench.open()
        const good = { key: 'order', owner: 'me', leaseMs }
        const bad: readonly (readonly [object, string, readonly string[]])[] = [
          [{ key: '' }, 'POSTHORN_INVALID_OPTION', ['[1].key', '""']],
          [{ key: undefined }, 'POSTHORN_INVALID_OPTION', ['[1].key', 'missing']],
          [{ key: 'x'.repeat(513) }, 'POSTHORN_INVALID_OPTION', ['[1].key', '512']],
          [{ key: 'a\0b' }, 'POSTHORN_INVALID_OPTION', ['[1].key', 'NUL']],
          [{ key: 'a\ud800b' }, 'POSTHORN_INVALID_OPTION', ['[1].key', 'surrogate']],
          [{ owner: 7 }, 'POSTHORN_INVALID_OPTION', ['[1].owner', '7']],
          [{ leaseMs: 0 }, 'POSTHORN_INVALID_OPTION', ['[1].leaseMs', '0']],
          [{ leaseMs: 1.5 }, 'POSTHORN_INVALID_OPTION', ['[1].leaseMs', '1.5']],
          [{ lease: 5 }, 'POSTHORN_UNKNOWN_OPTION', ['[1]', '"lease"', 'leaseMs']],
        ]
        for (const [change, code, words] of bad) {
          await rejects(async () => store.claims.claim([good, { ...good, ...change }]), code, ...words)
        }
        await mustClaim(store, good)
        const record = { collection: 'sagas', key: 'a', expectedVersion: 0, value: 'x' }
        for (const change of [
          { expectedVersion: -1 },
          { value: 1 },
          { due: { inMs: 1, at: 1 } },
          { index: '' },
        ]) {
          await rejects(
            async () => store.records.put([record, { ...record, key: 'b', ...change } as typeof record]),
            'POSTHORN_INVALID_OPTION',
            '[1]',
          )
        }
        await rejects(
          async () => store.records.list({ collection: record.collection, limit: 0 }),
          'POSTHORN_INVALID_OPTION',
          'limit',
        )
        assert.deepEqual(await store.records.list({ collection: record.collection, limit: 10 }), [])
      },
    },
    {
      id: 'h5',
      sentence:
        'Given keys that differ only in case, spaces, accents or script, then they are different keys',
      async run(bench) {
        const store = await bench.open()
        const words = [
          'a',
          'A',
          'a ',
          ' a',
          'á',
          'a\u0301',
          'а',
          '%',
          '_',
          "'",
          '\\',
          ':',
          '{a}',
          'a:b',
          'a\nb',
          '😀',
        ]
        const requests = [...words, 'x'.repeat(300), '😀'.repeat(100)].map((word) => ({
          key: `${'k'}${word}`,
          owner: word,
          leaseMs,
        }))
        const answers = await store.claims.claim(requests)
        assert.deepEqual([...new Set(answers.map(({ status }) => status))], ['claimed'])
        const again = await store.claims.claim(requests)
        assert.deepEqual(
          again.map((answer) => (answer.status === 'inProgress' ? answer.owner : answer.status)),
          requests.map(({ owner }) => owner),
        )
      },
    },
  ],
}
