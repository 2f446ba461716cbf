import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClaimAnswer } from '@posthorn/store'
import { startWorker, tryStartPostgres, tryStartRedis, type TestServer } from '@posthorn/test-brokers'
import { openStore, type Kind } from './workers/open-store.ts'

const claimAndWait = new URL('./workers/claim-and-wait.ts', import.meta.url)
const claimAll = new URL('./workers/claim-all.ts', import.meta.url)

let folder: string
const servers: Partial<Record<Kind, TestServer>> = {}
const reasons: Partial<Record<Kind, string | undefined>> = {}
const urls: Partial<Record<Kind, string>> = {}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'posthorn-store-'))
  urls.sqlite = join(folder, 'store.db')
  for (const [kind, start] of [
    ['postgres', tryStartPostgres],
    ['redis', tryStartRedis],
  ] as const) {
    const { server, reason } = await start()
    if (server === undefined) {
      reasons[kind] = reason
      continue
    }
    servers[kind] = server
    urls[kind] = server.url
  }
  for (const [kind, url] of Object.entries(urls)) {
    const { store, close } = await openStore(kind as Kind, url)
    await store.migrate()
    await close()
  }
}, 180_000)

afterAll(async () => {
  for (const server of Object.values(servers)) await server.stop()
  await rm(folder, { recursive: true })
})

describe.each<Kind>(['postgres', 'redis', 'sqlite'])('%s', (kind) => {
  test("a killed owner's claim is its own until the lease ends by the server's clock, and then another's", async (context) => {
    const url = urls[kind]
    if (url === undefined) return context.skip(reasons[kind])
    const leaseMs = 1_000
    const { store, close } = await openStore(kind, url)
    const key = 'killed in progress'
    const before = await store.now()
    const worker = startWorker(claimAndWait, { kind, url, key, leaseMs, inTransaction: false })
    const { fence } = await worker.waitFor<{ type: string; fence: number }>('claimed')
    await worker.kill()

    const answers: ClaimAnswer[] = []
    while (answers.at(-1)?.status !== 'claimed')
      answers.push(...(await store.claims.claim([{ key, owner: 'the heir', leaseMs: 60_000 }])))
    const after = await store.now()
    const taken = answers.at(-1)
    expect(taken?.status === 'claimed' && taken.fence).toBeGreaterThan(fence)
    expect(after - before).toBeGreaterThanOrEqual(leaseMs)
    await expect(store.claims.complete([{ key, fence, retentionMs: 1_000 }])).resolves.toEqual(['lost'])
    await close()
  })

  test('of two processes that claim the same keys, each key goes to one', async (context) => {
    const url = urls[kind]
    if (url === undefined) return context.skip(reasons[kind])
    const keys = Array.from({ length: 300 }, (_, index) => `raced ${index}`)
    const workers = [keys, keys.toReversed()].map((order) =>
      startWorker(claimAll, { kind, url, keys: order }),
    )
    for (const worker of workers) await worker.waitFor('ready')
    for (const worker of workers) worker.tell({ type: 'go' })
    const done = await Promise.all(
      workers.map(async (worker) => worker.waitFor<{ type: string; got: string[] }>('done')),
    )
    expect(done.flatMap(({ got }) => got).toSorted()).toEqual(keys.toSorted())
    for (const worker of workers) await worker.kill()
  })

  test('of a process that is killed in a transaction, before the commit, nothing is there', async (context) => {
    const url = urls[kind]
    if (url === undefined) return context.skip(reasons[kind])
    const { store, close } = await openStore(kind, url)
    if (store.capabilities.transactions.level === 'native') {
      const key = 'killed in a transaction'
      const parameters = { kind, url, key, leaseMs: 60_000, inTransaction: true }
      const worker = startWorker(claimAndWait, parameters)
      await worker.waitFor('claimed')
      await worker.kill()
      const [answer] = await store.claims.claim([{ key, owner: 'the heir', leaseMs: 60_000 }])
      expect(answer?.status).toBe('claimed')
    } else {
      expect(() => store.in({})).toThrow('Redis has no transactions')
    }
    await close()
  })
})

describe.each<'postgres' | 'redis'>(['postgres', 'redis'])('%s', (kind) => {
  test('a claim survives the kill of the server, and is completed afterwards under the same fence', async (context) => {
    const server = servers[kind]
    if (server === undefined || server.external) return context.skip(reasons[kind] ?? 'the server is shared')
    const key = 'over a restart'
    const first = await openStore(kind, server.url)
    const [answer] = await first.store.claims.claim([{ key, owner: 'me', leaseMs: 60_000 }])
    const fence = answer?.status === 'claimed' ? answer.fence : 0
    await server.kill()
    await first.close().catch(() => undefined)
    await server.restart()
    const second = await openStore(kind, server.url)
    const { claims } = second.store
    await expect(claims.claim([{ key, owner: 'another', leaseMs: 1_000 }])).resolves.toMatchObject([
      { status: 'inProgress', owner: 'me' },
    ])
    await expect(claims.complete([{ key, fence, result: 'paid', retentionMs: 60_000 }])).resolves.toEqual([
      'completed',
    ])
    await expect(claims.claim([{ key, owner: 'another', leaseMs: 1_000 }])).resolves.toEqual([
      { status: 'done', result: 'paid' },
    ])
    await second.close()
  })
})
