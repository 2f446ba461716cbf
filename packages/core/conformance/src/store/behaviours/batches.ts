import assert from 'node:assert/strict'
import { leaseMs, mustClaim, rejects } from '../store-bench.ts'
import type { StoreArea } from '../store-behaviour.ts'

export const batches: StoreArea = {
  title: 'Batches',
  behaviours: [
    {
      id: 'b1',
      sentence: 'Given requests of all kinds in one batch, then each is answered in its place and by itself',
      async run(bench) {
        const store = await bench.open()
        await mustClaim(store, { key: 'z-running', owner: 'another' })
        const fence = await mustClaim(store, { key: 'm-done' })
        await store.claims.complete([{ key: 'm-done', fence, result: 'yes', retentionMs: leaseMs }])
        await mustClaim(store, { key: 'a-other', payloadHash: 'x' })
        const claim = (word: string) => ({ key: word, owner: 'me', leaseMs, payloadHash: 'y' })
        const answers = await store.claims.claim(
          ['z-running', 'new-2', 'm-done', 'a-other', 'new-1'].map((word) => claim(word)),
        )
        assert.deepEqual(
          answers.map(({ status }) => status),
          ['inProgress', 'claimed', 'done', 'conflict', 'claimed'],
        )
        const fenceOf = (index: number): number => {
          const answer = answers[index]
          return answer?.status === 'claimed' ? answer.fence : Number.MAX_SAFE_INTEGER
        }
        const completions = { 'z-running': 0, 'new-2': 1, nobody: 0, 'new-1': 4 }
        assert.deepEqual(
          await store.claims.complete(
            Object.entries(completions).map(([word, index]) => ({
              key: word,
              fence: fenceOf(index),
              retentionMs: leaseMs,
              result: word,
            })),
          ),
          ['lost', 'completed', 'lost', 'completed'],
        )
        const after = await store.claims.claim(['new-1', 'new-2'].map((word) => claim(word)))
        assert.deepEqual(after, [
          { status: 'done', result: 'new-1' },
          { status: 'done', result: 'new-2' },
        ])
      },
    },
    {
      id: 'b2',
      sentence:
        'Given the same key several times in one batch, then they are answered as if one after the other',
      async run(bench) {
        const store = await bench.open()
        const [key, other] = ['order', 'other']
        const request = { key, owner: 'me', leaseMs }
        const answers = await store.claims.claim([request, { ...request, key: other }, request, request])
        assert.deepEqual(
          answers.map(({ status }) => status),
          ['claimed', 'claimed', 'inProgress', 'inProgress'],
        )
        const fence = answers[0]?.status === 'claimed' ? answers[0].fence : 0
        assert.deepEqual(
          await store.claims.release([
            { key, fence },
            { key, fence },
          ]),
          ['released', 'lost'],
        )
        const writes = [0, 0].map((expectedVersion) => ({
          collection: 'sagas',
          key,
          expectedVersion,
          value: 'x',
        }))
        assert.deepEqual(
          (await store.records.put(writes)).map(({ status }) => status),
          ['stored', 'conflict'],
        )
      },
    },
    {
      id: 'b3',
      sentence: 'Given an empty batch, then the answer is empty',
      async run(bench) {
        const { claims, records, outbox } = await bench.open()
        for (const empty of [
          claims.claim([]),
          claims.renew([]),
          claims.complete([]),
          claims.release([]),
          records.get([]),
          records.put([]),
        ]) {
          assert.deepEqual(await empty, [])
        }
        await outbox.append([])
        await outbox.sent([])
        await outbox.release({ fence: 1, ids: [] })
      },
    },
    {
      id: 'b4',
      sentence: 'Given a batch of a thousand, then it is done; one of more is refused as a whole',
      async run(bench) {
        const store = await bench.open()
        const requests = Array.from({ length: 1_001 }, (_, index) => ({
          key: `order-${index}`,
          owner: 'me',
          leaseMs,
        }))
        await rejects(async () => store.claims.claim(requests), 'POSTHORN_INVALID_OPTION', '1000', '1001')
        const answers = await store.claims.claim(requests.slice(0, 1_000))
        assert.ok(answers.every(({ status }) => status === 'claimed'))
        const fences = answers.map((answer) => (answer.status === 'claimed' ? answer.fence : 0))
        assert.equal(new Set(fences).size, 1_000)
        const completed = await store.claims.complete(
          fences.map((fence, index) => ({ key: requests[index]!.key, fence, retentionMs: leaseMs })),
        )
        assert.ok(completed.every((answer) => answer === 'completed'))
      },
    },
    {
      id: 'b5',
      sentence:
        'Given batches with the same keys in other orders at the same time, then no key is had twice and none waits for ever',
      async run(bench) {
        const stores = [await bench.open(), await bench.open(), await bench.open(), await bench.open()]
        for (let round = 0; round < 5; round += 1) {
          const keys = Array.from({ length: 20 }, (_, index) => `order-${round}-${index}`)
          const batches = await Promise.all(
            stores.map(async (store, index) => {
              const mine = index % 2 === 0 ? keys : keys.toReversed()
              return store.claims.claim(mine.map((key) => ({ key, owner: `${index}`, leaseMs })))
            }),
          )
          const claimed = batches.flat().filter(({ status }) => status === 'claimed')
          assert.equal(claimed.length, keys.length)
        }
      },
    },
  ],
}
