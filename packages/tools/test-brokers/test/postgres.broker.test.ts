import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startPostgres, tryStartPostgres, type TestServer } from '../src/index.ts'

// Installing it the first time takes as long as the network does.
const installMs = 180_000

describe('PostgreSQL', () => {
  let server: TestServer | undefined
  let reason: string | undefined

  beforeAll(async () => {
    ;({ server, reason } = await tryStartPostgres())
  }, installMs)

  afterAll(async () => server?.stop())

  test('keeps what was committed through a kill and a restart', async (context) => {
    if (server === undefined) return context.skip(reason)
    const { pid, version = 'unknown' } = server
    const shown = await ask(server.url, 'SHOW server_version')
    expect(shown).toContain(version)
    await ask(server.url, `CREATE TABLE orders AS SELECT 'first' AS id`)
    await server.kill()
    await expect(ask(server.url, 'SELECT id FROM orders')).rejects.toThrow(Error)
    await server.restart()
    expect(server.pid).not.toBe(pid)
    await expect(ask(server.url, 'SELECT id FROM orders')).resolves.toBe('first')
  })

  test('is used, and left alone, where the environment names it', async (context) => {
    if (server === undefined) return context.skip(reason)
    vi.stubEnv('POSTHORN_POSTGRES_URL', server.url)
    const external = await startPostgres()
    vi.unstubAllEnvs()
    expect(external).toMatchObject({ external: true, url: server.url })
    await expect(external.restart()).rejects.toThrow('Cannot restart the server of POSTHORN_POSTGRES_URL')
    await external.stop()
    await expect(ask(server.url, 'SELECT 1 + 1')).resolves.toBe('2')
  })
})

/** The first column of the first row. */
async function ask(url: string, query: string): Promise<string> {
  const client = new Client(url)
  // What a killed server does to a connection is told by the query that fails.
  client.on('error', () => undefined)
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, unknown>>(query)
    return String(Object.values(rows[0] ?? {})[0])
  } finally {
    await client.end()
  }
}
