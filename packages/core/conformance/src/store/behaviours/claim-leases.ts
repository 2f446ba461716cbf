import assert from 'node:assert/strict'
import { claimOne, leaseMs, mustClaim } from '../store-bench.ts'
import type { StoreArea } from '../store-behaviour.ts'

const day = 86_400_000

export const claimLeases: StoreArea = {
  title: 'Leases and fences',
  behaviours: [
    {
      id: 'c3',
      sentence:
        'Given an owner that has died, then the key is its own until its lease ends and then another gets it',
      async run(bench) {
        const [dead, heir] = [await bench.open(), await bench.open()]
        const key = 'order'
        const fence = await mustClaim(dead, { key, owner: 'the dead' })
        await bench.pass(leaseMs / 2)
        assert.equal((await claimOne(heir, { key })).status, 'inProgress')
        await bench.pass(leaseMs / 2)
        assert.ok((await mustClaim(heir, { key, owner: 'the heir' })) > fence)
        const third = await claimOne(dead, { key })
        assert.ok(third.status === 'inProgress' && third.owner === 'the heir', third.status)
      },
    },
    {
      id: 'c4',
      sentence:
        'Given an owner whose claim was taken over, then whatever it does is lost and harms the new one nothing',
      async run(bench) {
        const [stale, fresh] = [await bench.open(), await bench.open()]
        const key = 'order'
        const fence = await mustClaim(stale, { key })
        await bench.pass(leaseMs)
        const newFence = await mustClaim(fresh, { key })
        assert.deepEqual(await stale.claims.renew([{ key, fence, leaseMs: day }]), ['lost'])
        assert.deepEqual(await stale.claims.release([{ key, fence }]), ['lost'])
        assert.deepEqual(await stale.claims.complete([{ key, fence, result: 'stale', retentionMs: day }]), [
          'lost',
        ])
        assert.equal((await claimOne(stale, { key })).status, 'inProgress')
        assert.deepEqual(
          await fresh.claims.complete([{ key, fence: newFence, result: 'fresh', retentionMs: day }]),
          ['completed'],
        )
        assert.deepEqual(await stale.claims.complete([{ key, fence, result: 'stale', retentionMs: day }]), [
          'lost',
        ])
        assert.deepEqual(await claimOne(stale, { key }), { status: 'done', result: 'fresh' })
      },
    },
    {
      id: 'c5',
      sentence: 'Given a lease that is renewed, then it starts anew and is no longer than it says',
      async run(bench) {
        const [owner, other] = [await bench.open(), await bench.open()]
        const key = 'order'
        const fence = await mustClaim(owner, { key })
        await bench.pass(leaseMs * 0.6)
        assert.deepEqual(await owner.claims.renew([{ key, fence, leaseMs }]), ['renewed'])
        await bench.pass(leaseMs * 0.6)
        assert.equal((await claimOne(other, { key })).status, 'inProgress')
        await bench.pass(leaseMs * 0.6)
        assert.ok((await mustClaim(other, { key })) > fence)
      },
    },
    {
      id: 'c9',
      sentence:
        'Given a lease that ran out and nobody who took over, then its owner can still renew and complete',
      async run(bench) {
        const store = await bench.open()
        const key = 'order'
        const fence = await mustClaim(store, { key })
        await bench.pass(2 * leaseMs)
        assert.deepEqual(await store.claims.renew([{ key, fence, leaseMs }]), ['renewed'])
        assert.equal((await claimOne(store, { key })).status, 'inProgress')
        await bench.pass(2 * leaseMs)
        assert.deepEqual(await store.claims.complete([{ key, fence, retentionMs: day }]), ['completed'])
        assert.deepEqual(await claimOne(store, { key }), { status: 'done', result: undefined })
      },
    },
    {
      id: 'c13',
      sentence: 'Given a claim that was abandoned a day ago, then it is absent, for its owner too',
      async run(bench) {
        const store = await bench.open()
        const [taken, left] = ['taken', 'left']
        const fences = [
          await mustClaim(store, { key: taken, payloadHash: 'one' }),
          await mustClaim(store, { key: left, payloadHash: 'one' }),
        ]
        await bench.pass(day + leaseMs)
        assert.ok((await mustClaim(store, { key: taken, payloadHash: 'two' })) > fences[0]!)
        assert.deepEqual(await store.claims.complete([{ key: left, fence: fences[1]!, retentionMs: day }]), [
          'lost',
        ])
        assert.deepEqual(await store.claims.renew([{ key: left, fence: fences[1]!, leaseMs }]), ['lost'])
        await mustClaim(store, { key: left })
      },
    },
    {
      id: 'c14',
      sentence:
        'Given one claim after the other, by release, expiry and sweep, in new processes too, then each fence is higher',
      async run(bench) {
        const key = 'order'
        const fences: number[] = []
        for (let round = 0; round < 3; round += 1) {
          const store = await bench.open()
          const released = await mustClaim(store, { key })
          await store.claims.release([{ key, fence: released }])
          const completed = await mustClaim(store, { key })
          await store.claims.complete([{ key, fence: completed, retentionMs: leaseMs }])
          await bench.pass(leaseMs)
          await store.sweep({ limit: 1_000 })
          const abandoned = await mustClaim(store, { key })
          await bench.pass(leaseMs)
          fences.push(released, completed, abandoned)
        }
        assert.deepEqual(
          fences,
          [...new Set(fences)].toSorted((a, b) => a - b),
        )
        assert.ok(fences.every(Number.isSafeInteger))
      },
    },
    {
      id: 'c15',
      sentence:
        "Given a client whose clock is an hour off, then leases and retentions are as long as the database's clock says",
      needsOwnClock: true,
      async run(bench) {
        const key = 'order'
        const [owner, other] = [await bench.open(), await bench.open()]
        const fence = await withClockOff(-3_600_000, async () => mustClaim(owner, { key, leaseMs }))
        await withClockOff(3_600_000, async () => {
          const answer = await claimOne(other, { key })
          assert.ok(answer.status === 'inProgress', answer.status)
          const { remainingMs } = answer
          assert.ok(remainingMs > leaseMs / 2 && remainingMs <= leaseMs, `${remainingMs} ms`)
        })
        await withClockOff(3_600_000, async () =>
          owner.claims.complete([{ key, fence, retentionMs: 2 * leaseMs }]),
        )
        await bench.pass(leaseMs)
        assert.equal((await claimOne(other, { key })).status, 'done')
        await bench.pass(leaseMs)
        await withClockOff(-3_600_000, async () => mustClaim(other, { key }))
      },
    },
  ],
}

/** What a store must not look at. */
const clientClock: { now: () => number } = Date

async function withClockOff<Value>(byMs: number, work: () => Promise<Value>): Promise<Value> {
  const right = clientClock.now
  clientClock.now = () => right() + byMs
  try {
    return await work()
  } finally {
    clientClock.now = right
  }
}
