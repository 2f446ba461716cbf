import { Cluster, Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { redisStore } from '@posthorn/store/redis'
import { startRedis, startTcpProxy, tryStartRedis, type TestServer } from '@posthorn/test-brokers'

let server: TestServer | undefined
let reason: string | undefined
const clients: (Redis | Cluster)[] = []

beforeAll(async () => {
  ;({ server, reason } = await tryStartRedis())
}, 180_000)

afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect()
})

afterAll(async () => server?.stop())

function connect(url: string, options = {}): Redis {
  const client = new Redis(url, options)
  client.on('error', () => undefined)
  clients.push(client)
  return client
}

const claim = (key: string) => [{ key, owner: 'me', leaseMs: 60_000 }]

describe('Redis', () => {
  test('answers a command that the client sends again as it did the first time', async (context) => {
    if (server === undefined) return context.skip(reason)
    const proxy = await startTcpProxy({ target: server.url })
    const store = redisStore(connect(proxy.url), { prefix: 'again' })
    const write = {
      collection: 'sagas',
      key: 'a',
      expectedVersion: 0,
      value: 'x',
      outbox: [{ id: 'm', body: 'x' }],
    }
    // The server has its scripts, and the client is connected.
    await store.claims.claim(claim('warm'))
    await store.records.put([{ ...write, key: 'warm', outbox: [] }])

    const cut = proxy.cutAfterBytes(1, 'toClient')
    const answers = await store.claims.claim([...claim('a'), ...claim('a')])
    expect(cut.happened).toBe(true)
    expect(answers.map(({ status }) => status)).toEqual(['claimed', 'inProgress'])

    const second = proxy.cutAfterBytes(1, 'toClient')
    await expect(store.records.put([write])).resolves.toMatchObject([{ status: 'stored' }])
    expect(second.happened).toBe(true)
    await expect(store.outbox.depth()).resolves.toMatchObject({ waiting: 1 })
    await proxy.close()
  })

  test('brings its scripts again when the server has lost them', async (context) => {
    if (server === undefined) return context.skip(reason)
    const client = connect(server.url)
    const store = redisStore(client, { prefix: 'flushed' })
    await store.claims.claim(claim('a'))
    await client.script('FLUSH')
    const answers = await Promise.all(['b', 'c'].map(async (key) => store.claims.claim(claim(key))))
    expect(answers.flat().map(({ status }) => status)).toEqual(['claimed', 'claimed'])
  })

  test('gives higher fences even when the server has lost all it had', async (context) => {
    if (server === undefined || server.external) return context.skip(reason ?? 'the server is shared')
    const client = connect(server.url)
    const store = redisStore(client, { prefix: 'lost' })
    const [before] = await store.claims.claim(claim('a'))
    await client.flushall()
    const [after] = await store.claims.claim(claim('a'))
    expect(before?.status).toBe('claimed')
    expect(after?.status === 'claimed' && before?.status === 'claimed' && after.fence > before.fence).toBe(
      true,
    )
  })

  test('refuses a server that throws keys out', async (context) => {
    if (server === undefined) return context.skip(reason)
    const config = { maxmemory: '100mb', 'maxmemory-policy': 'allkeys-lru' }
    const evicting = await startRedis({ config })
    await expect(redisStore(connect(evicting.url)).migrate()).rejects.toMatchObject({
      code: 'POSTHORN_UNSUPPORTED',
      message: expect.stringContaining('allkeys-lru'),
    })
    await evicting.stop()
  })

  test('is a failure that may pass while the server is down', async (context) => {
    if (server === undefined) return context.skip(reason)
    const own = await startRedis({ config: { appendfsync: 'always' } })
    const store = redisStore(connect(own.url, { maxRetriesPerRequest: 0 }))
    await store.claims.claim(claim('a'))
    await own.kill()
    await expect(store.claims.claim(claim('b'))).rejects.toMatchObject({
      code: 'POSTHORN_STORE_FAILED',
      retryable: true,
    })
    await own.stop()
  })

  test('works through the client of a cluster', async (context) => {
    if (server === undefined) return context.skip(reason)
    const cluster = await startRedis({
      config: { 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' },
    })
    const node = connect(cluster.url)
    await node.cluster('ADDSLOTSRANGE', 0, 16_383)
    const { hostname, port } = new URL(cluster.url)
    const client = new Cluster([{ host: hostname, port: Number(port) }], { clusterRetryStrategy: () => 50 })
    client.on('error', () => undefined)
    clients.push(client)
    const store = redisStore(client)
    await expect(store.claims.claim([...claim('a'), ...claim('b')])).resolves.toMatchObject([
      { status: 'claimed' },
      { status: 'claimed' },
    ])
    await store.outbox.append([{ id: '1', body: 'x', key: 'k' }])
    await expect(store.outbox.claim({ limit: 1, leaseMs: 1_000 })).resolves.toMatchObject({
      messages: [{ id: '1' }],
    })
    client.disconnect()
    await cluster.stop()
  })
})
