import { connect } from 'amqplib'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startRabbitmq, startTcpProxy, tryStartRabbitmq, type RabbitmqServer } from '../src/index.ts'
import { consumeOne, publish } from './amqp-client.ts'

// Installing it the first time takes as long as the network does.
const installMs = 180_000

describe('RabbitMQ 3.10', () => {
  let server: RabbitmqServer | undefined
  let reason: string | undefined

  beforeAll(async () => {
    ;({ server, reason } = await tryStartRabbitmq({ version: '3.10', plugins: ['rabbitmq_management'] }))
  }, installMs)

  afterAll(async () => server?.stop())

  test('keeps a persistent message through a kill and a restart', async (context) => {
    if (server === undefined) return context.skip(reason)
    expect(server.version).toMatch(/^3\.10\./)
    const { pid } = server
    await publish(server.url, 'orders', 'first')
    await server.sync()
    await server.kill()
    expect(server.running).toBe(false)
    await expect(connect(server.url)).rejects.toThrow('ECONNREFUSED')
    await server.restart()
    expect(server.pid).not.toBe(pid)
    await expect(consumeOne(server.url, 'orders')).resolves.toBe('first')
  })

  test('is frozen and goes on', async (context) => {
    if (server === undefined) return context.skip(reason)
    server.pause()
    const answer = publish(server.url, 'frozen', 'x')
    // The answer of a program that the system runs, so some time has passed.
    const first = await Promise.race([
      answer.then(() => 'answered'),
      server.ctl('version').then(() => 'silent'),
    ])
    expect(first).toBe('silent')
    server.resume()
    await answer
  })

  test('is controlled by rabbitmqctl', async (context) => {
    if (server === undefined) return context.skip(reason)
    const connection = await connect(server.url)
    const closed = new Promise((resolve) => connection.on('close', resolve))
    connection.on('error', () => undefined)
    await server.ctl('close_all_connections', 'by the test')
    await closed
    await expect(server.ctl('no_such_command')).rejects.toThrow('rabbitmqctl no_such_command failed')
  })

  test('answers on its management port', async (context) => {
    if (server === undefined) return context.skip(reason)
    const { origin, username, password } = new URL(server.managementUrl ?? '')
    const response = await fetch(`${origin}/api/overview`, {
      headers: { authorization: `Basic ${btoa(`${username}:${password}`)}` },
    })
    await expect(response.json()).resolves.toMatchObject({ rabbitmq_version: server.version })
  })

  test('is empty after a reset', async (context) => {
    if (server === undefined) return context.skip(reason)
    await publish(server.url, 'left over', 'x')
    await server.ctl('add_vhost', 'another')
    await server.ctl('set_vm_memory_high_watermark', '0.00001')
    await server.reset()
    await expect(server.ctl('list_queues', 'name')).resolves.not.toContain('left over')
    await expect(server.ctl('list_vhosts', '--silent')).resolves.toBe('/\n')
    // It would wait for ever under the alarm.
    await publish(server.url, 'left over', 'y')
  })

  test.for([1, 2, 5, 9])('is cut off after %i frames of the client', async (frames, context) => {
    if (server === undefined) return context.skip(reason)
    const proxy = await startTcpProxy({ target: server.url })
    const cut = proxy.cutAfterFrames(frames, 'toServer')
    await expect(publish(proxy.url, 'cut', 'x')).rejects.toThrow(Error)
    expect(cut.happened).toBe(true)
    await proxy.heal()
    await publish(proxy.url, 'cut', 'x')
    await proxy.close()
  })

  test('speaks AMQP in slices of one to three bytes', async (context) => {
    if (server === undefined) return context.skip(reason)
    const proxy = await startTcpProxy({ target: server.url })
    proxy.shape('both', { slice: true })
    await publish(proxy.url, 'sliced', 'in slices')
    await expect(consumeOne(proxy.url, 'sliced')).resolves.toBe('in slices')
    await proxy.close()
  })

  test('is used, and left alone, where the environment names it', async (context) => {
    if (server === undefined) return context.skip(reason)
    vi.stubEnv('POSTHORN_RABBITMQ_URL', server.url)
    const external = await startRabbitmq({ version: '3.10' })
    vi.unstubAllEnvs()
    expect(external).toMatchObject({ external: true, url: server.url, version: server.version })
    await expect(external.kill()).rejects.toThrow('Cannot kill the server of POSTHORN_RABBITMQ_URL')
    expect(() => external.pause()).toThrow('Cannot pause the server of POSTHORN_RABBITMQ_URL')
    await external.stop()
    await publish(server.url, 'external', 'x')
  })
})
