import { expect, test } from 'vitest'
import { gatherClaims, type Claims } from './index.ts'
import { memoryStore } from './memory.ts'

interface Watched {
  readonly claims: Claims
  /** The number of requests in each batch of claims. */
  readonly batches: number[]
  inFlight: number
  mostInFlight: number
}

function watch(): Watched {
  const { claims } = memoryStore()
  const watched: Watched = {
    claims: {
      ...claims,
      async claim(requests) {
        watched.batches.push(requests.length)
        watched.inFlight += 1
        watched.mostInFlight = Math.max(watched.mostInFlight, watched.inFlight)
        await new Promise(setImmediate)
        watched.inFlight -= 1
        return claims.claim(requests)
      },
    },
    batches: [],
    inFlight: 0,
    mostInFlight: 0,
  }
  return watched
}

const request = (key: string) => ({ key, owner: 'me', leaseMs: 1_000 })

test('puts what is asked for in one turn into one batch, and answers each caller', async () => {
  const { claims, batches } = watch()
  const single = gatherClaims(claims)
  const answers = await Promise.all(['a', 'b', 'a'].map(async (key) => single.claim(request(key))))
  expect(answers.map(({ status }) => status)).toEqual(['claimed', 'claimed', 'inProgress'])
  expect(batches).toEqual([3])
})

test('completes, renews and releases singly', async () => {
  const single = gatherClaims(memoryStore().claims)
  const answer = await single.claim(request('a'))
  const fence = answer.status === 'claimed' ? answer.fence : 0
  await expect(single.renew({ key: 'a', fence, leaseMs: 1_000 })).resolves.toBe('renewed')
  await expect(single.release({ key: 'b', fence })).resolves.toBe('lost')
  await expect(single.complete({ key: 'a', fence, retentionMs: 1_000 })).resolves.toBe('completed')
})

test('makes batches no larger, and has no more on their way, than it may', async () => {
  const watched = watch()
  const single = gatherClaims(watched.claims, { maxBatch: 10, maxInFlight: 3 })
  await Promise.all(Array.from({ length: 95 }, async (_, index) => single.claim(request(`${index}`))))
  expect(watched.batches).toEqual([10, 10, 10, 10, 10, 10, 10, 10, 10, 5])
  expect(watched.mostInFlight).toBe(3)
})

test('gathers while its batches are on their way', async () => {
  const watched = watch()
  const single = gatherClaims(watched.claims, { maxInFlight: 1 })
  const first = single.claim(request('a'))
  await new Promise((resolve) => process.nextTick(resolve))
  const others = ['b', 'c'].map(async (key) => single.claim(request(key)))
  await Promise.all([first, ...others])
  expect(watched.batches).toEqual([1, 2])
})

test('refuses a request that cannot work alone', async () => {
  const single = gatherClaims(memoryStore().claims)
  const [good, bad] = await Promise.allSettled([single.claim(request('a')), single.claim(request(''))])
  expect(good.status).toBe('fulfilled')
  expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'POSTHORN_INVALID_OPTION' } })
})

test('tells all of a batch that it failed, and goes on', async () => {
  const { claims } = memoryStore()
  let failing = true
  const single = gatherClaims({
    ...claims,
    claim: async (requests) => (failing ? Promise.reject(new Error('gone')) : claims.claim(requests)),
  })
  const outcomes = await Promise.allSettled(['a', 'b'].map(async (key) => single.claim(request(key))))
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  failing = false
  await expect(single.claim(request('a'))).resolves.toMatchObject({ status: 'claimed' })
})

test('refuses options that cannot work', () => {
  expect(() => gatherClaims(memoryStore().claims, { maxBatch: 0 })).toThrow('gatherClaims().maxBatch must be')
})
