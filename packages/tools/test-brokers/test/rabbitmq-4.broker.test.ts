import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tryStartRabbitmq, type RabbitmqServer } from '../src/index.ts'
import { consumeOne, publish } from './amqp-client.ts'

// Making the Debian root the first time takes as long as the network does.
const installMs = 180_000

describe('RabbitMQ 4.0, three nodes', () => {
  let server: RabbitmqServer | undefined
  let reason: string | undefined

  beforeAll(async () => {
    ;({ server, reason } = await tryStartRabbitmq({ version: '4.0', nodes: 3 }))
  }, installMs)

  afterAll(async () => server?.stop())

  test('is one cluster of its own', async (context) => {
    if (server === undefined) return context.skip(reason)
    expect(server.version).toMatch(/^4\.0\./)
    const status = JSON.parse(await server.ctl('cluster_status', '--formatter', 'json')) as {
      running_nodes: string[]
    }
    expect(status.running_nodes.toSorted()).toEqual(server.nodes.map((node) => node.name))
  })

  test('keeps a confirmed message while any one node is dead', async (context) => {
    if (server === undefined) return context.skip(reason)
    const [first, second, third] = server.nodes
    if (first === undefined || second === undefined || third === undefined)
      throw new Error('There are not three nodes')
    await publish(first.url, 'orders', 'kept')
    await server.sync()
    await first.kill()
    await expect(consumeOne(second.url, 'orders')).resolves.toBe('kept')
    await publish(third.url, 'payments', 'sent to two')
    await server.sync()
    await first.restart()
    await third.kill()
    await expect(consumeOne(first.url, 'payments')).resolves.toBe('sent to two')
    await third.restart()
  })

  test('keeps a confirmed message when all nodes are killed and restarted', async (context) => {
    if (server === undefined) return context.skip(reason)
    await publish(server.url, 'all', 'kept')
    await server.sync()
    await server.kill()
    await server.restart()
    await expect(consumeOne(server.url, 'all')).resolves.toBe('kept')
  })
})
