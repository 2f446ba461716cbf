import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startRedis, tryStartRedis, type TestServer } from '../src/index.ts'

// Installing it the first time takes as long as the network does.
const installMs = 180_000

describe('Redis', () => {
  let server: TestServer | undefined
  let reason: string | undefined

  beforeAll(async () => {
    ;({ server, reason } = await tryStartRedis())
  }, installMs)

  afterAll(async () => server?.stop())

  test('keeps what it has answered through a kill and a restart', async (context) => {
    if (server === undefined) return context.skip(reason)
    const { pid } = server
    await use(server.url, async (client) => client.set('order', 'first'))
    await server.kill()
    expect(server.running).toBe(false)
    await server.restart()
    expect(server.pid).not.toBe(pid)
    await expect(use(server.url, async (client) => client.get('order'))).resolves.toBe('first')
  })

  test('is used, and left alone, where the environment names it', async (context) => {
    if (server === undefined) return context.skip(reason)
    vi.stubEnv('POSTHORN_REDIS_URL', server.url)
    const external = await startRedis()
    vi.unstubAllEnvs()
    expect(external).toMatchObject({ external: true, url: server.url })
    await expect(external.kill()).rejects.toThrow('Cannot kill the server of POSTHORN_REDIS_URL')
    await external.stop()
    await expect(use(server.url, async (client) => client.ping())).resolves.toBe('PONG')
  })

  test('takes more configuration', async (context) => {
    if (server === undefined) return context.skip(reason)
    const cluster = await startRedis({ config: { 'cluster-enabled': 'yes' } })
    await expect(use(cluster.url, async (client) => client.cluster('INFO'))).resolves.toContain(
      'cluster_state',
    )
    await cluster.stop()
  })
})

async function use<Value>(url: string, work: (client: Redis) => Promise<Value>): Promise<Value> {
  const client = new Redis(url)
  try {
    return await work(client)
  } finally {
    client.disconnect()
  }
}
