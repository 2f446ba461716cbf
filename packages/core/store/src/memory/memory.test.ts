import { describe, expect, test } from 'vitest'
import { memoryStore } from '../memory.ts'

const claim = (key: string) => [{ key, owner: 'me', leaseMs: 1_000 }]

describe('at its bound', () => {
  test('refuses new claims until some expire, and loses none', async () => {
    let time = 0
    const { claims } = memoryStore({ maxClaims: 2, now: () => time })
    const [first] = await claims.claim(claim('a'))
    await claims.claim(claim('b'))
    await expect(claims.claim(claim('c'))).rejects.toMatchObject({
      code: 'POSTHORN_STORE_FULL',
      retryable: true,
      message: expect.stringContaining('2 claims'),
    })
    await expect(claims.claim(claim('a'))).resolves.toMatchObject([{ status: 'inProgress' }])
    const fence = first?.status === 'claimed' ? first.fence : 0
    await claims.complete([{ key: 'a', fence, retentionMs: 500 }])
    time += 500
    await expect(claims.claim(claim('c'))).resolves.toMatchObject([{ status: 'claimed' }])
  })

  test('refuses new records and messages, and stores neither without the other', async () => {
    const { records, outbox } = memoryStore({ maxRecords: 1, maxMessages: 1 })
    const write = { collection: 'sagas', key: 'a', expectedVersion: 0, value: 'x' }
    const message = (id: string) => ({ id, body: 'x' })
    await expect(records.put([{ ...write, outbox: [message('1'), message('2')] }])).rejects.toMatchObject({
      code: 'POSTHORN_STORE_FULL',
    })
    await expect(records.get([write].map(({ collection, key }) => ({ collection, key })))).resolves.toEqual([
      undefined,
    ])
    await records.put([write])
    await expect(records.put([{ ...write, key: 'b', outbox: [message('1')] }])).rejects.toMatchObject({
      code: 'POSTHORN_STORE_FULL',
    })
    await expect(outbox.depth()).resolves.toEqual({ waiting: 0, oldestMs: undefined })
    await outbox.append([message('1')])
    await expect(outbox.append([message('2')])).rejects.toMatchObject({ code: 'POSTHORN_STORE_FULL' })
  })

  test('stays at it through any number of claims that come and go', async () => {
    let time = 0
    const { claims } = memoryStore({ maxClaims: 100, now: () => time })
    for (let round = 0; round < 2_000; round += 1) {
      const [answer] = await claims.claim(claim(`order-${round}`))
      const fence = answer?.status === 'claimed' ? answer.fence : 0
      await claims.complete([{ key: `order-${round}`, fence, retentionMs: 90 }])
      time += 1
    }
    await expect(claims.claim(claim('order-1950'))).resolves.toMatchObject([{ status: 'done' }])
    await expect(claims.claim(claim('order-1000'))).resolves.toMatchObject([{ status: 'claimed' }])
  })
})

test('gives up two expired claims for each that comes, so that they take no room for long', async () => {
  let time = 0
  const store = memoryStore({ now: () => time })
  const { claims } = store
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
    const [answer] = await claims.claim(claim(key))
    const fence = answer?.status === 'claimed' ? answer.fence : 0
    await claims.complete([{ key, fence, retentionMs: 1_000 }])
  }
  time += 1_000
  for (const key of ['h', 'i', 'j']) await claims.claim(claim(key))
  await expect(store.sweep({ limit: 10 })).resolves.toBe(1)
})

test('goes by the system clock unless told otherwise', async () => {
  const before = Date.now()
  const now = await memoryStore().now()
  expect(now).toBeGreaterThanOrEqual(before)
  expect(now).toBeLessThanOrEqual(Date.now())
})

test('refuses options that cannot work', () => {
  expect(() => memoryStore({ maxClaims: 0 })).toThrow('memoryStore().maxClaims must be a whole number')
  expect(() => memoryStore({ now: 5 as unknown as () => number })).toThrow(
    'memoryStore().now must be a function',
  )
  expect(() => memoryStore({ max: 5 } as object)).toThrow('memoryStore() has no option "max"')
})
