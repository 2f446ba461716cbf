import { inspect } from 'node:util'
import { type Certificates, findFreePorts, makeCertificates, tryFindOpenssl } from '@posthorn/test-brokers'
import { isPosthornError, type Transport } from '@posthorn/transport'
import { systemClock } from '@posthorn/transport/driver'
import { describe, expect, test, vi } from 'vitest'
import { version, withRabbitmq } from './with-rabbitmq.ts'

/** The server gathers its figures every five seconds, twice. Milliseconds. */
const patience = { timeout: 40_000, interval: 50 }

describe(`the management API of RabbitMQ ${version}`, () => {
  let certificates: Certificates
  let tlsPort = 0

  const bench = withRabbitmq(async () => {
    const { server: openssl, reason } = await tryFindOpenssl()
    if (reason !== undefined) return { reason }
    certificates = await makeCertificates(openssl, 'shop')
    tlsPort = (await findFreePorts(1))[0] ?? 0
    return {
      plugins: ['rabbitmq_management'],
      files: { 'server.pem': certificates.server.cert, 'server.key': certificates.server.key },
      config: {
        'management.ssl.ip': '127.0.0.1',
        'management.ssl.port': tlsPort,
        'management.ssl.certfile': '{folder}/server.pem',
        'management.ssl.keyfile': '{folder}/server.key',
        collect_statistics_interval: 500,
      },
    }
  })

  function managementUrl(password = 'guest'): string {
    const url = new URL(bench.server.managementUrl ?? '')
    url.password = password
    return url.href
  }

  /** A queue with a message that is handled for as long as the test runs, and two behind it. */
  async function hold(transport: Transport, queue: string): Promise<() => void> {
    let release: () => void = () => undefined
    const released = new Promise<void>((resolve) => (release = resolve))
    const time = systemClock.now() - 60_000
    await transport.sendMany(queue, [{ data: 1 }, { data: 2, time }, { data: 3 }])
    await transport.consume(queue, () => released, { concurrency: 1 })
    return release
  }

  test('says what is in flight, asked over TLS with the certificates that are given', async () => {
    const [managementUrl, tls] = [`https://127.0.0.1:${tlsPort}/`, { ca: certificates.authority }]
    const transport = await bench.open({ managementUrl, tls })
    const queue = bench.name('orders')
    const release = await hold(transport, queue)
    const expected = { ready: 2, inFlight: 1, deadLettered: 0, oldestAgeMs: undefined }
    await vi.waitFor(async () => expect(await transport.depth(queue)).toMatchObject(expected), patience)
    release()
  }, 60_000)

  test('says of a classic queue how old the oldest message is', async () => {
    const transport = await bench.open({ managementUrl: managementUrl(), queueType: 'classic' })
    const queue = bench.name('orders')
    const release = await hold(transport, queue)
    await vi.waitFor(async () => {
      const { inFlight, oldestAgeMs = 0 } = await transport.depth(queue)
      expect(inFlight).toBe(1)
      expect(oldestAgeMs).toBeGreaterThanOrEqual(60_000)
      expect(oldestAgeMs).toBeLessThan(60_000 + patience.timeout)
    }, patience)
    release()
    const done = { ready: 0, oldestAgeMs: undefined }
    await vi.waitFor(async () => expect(await transport.depth(queue)).toMatchObject(done), patience)
  }, 60_000)

  test('that refuses the user is found when connecting, and no secret is shown', async () => {
    const error = await bench
      .open({ managementUrl: managementUrl('hunter2') })
      .catch((thrown: unknown) => thrown)
    if (!isPosthornError(error)) throw new Error('It was connected.')
    expect([error.code, error.retryable]).toEqual(['POSTHORN_ACCESS_DENIED', false])
    expect(error.message).toContain('managementUrl')
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain('hunter2')
  })

  test('that does not take the user for one who may look is found when connecting', async () => {
    await bench.server.ctl('add_user', 'stranger', 'pass')
    const url = new URL(managementUrl('pass'))
    url.username = 'stranger'
    await expect(bench.open({ managementUrl: url.href })).rejects.toMatchObject({
      code: 'POSTHORN_ACCESS_DENIED',
    })
  })

  test.each([
    ['cannot be reached', async () => 'http://guest:guest@127.0.0.1:1'],
    ['is something else', async () => bench.server.url.replace('amqp:', 'http:')],
  ])('that %s leaves its fields out', async (_, url) => {
    const transport = await bench.open({ managementUrl: await url() })
    const queue = bench.name('orders')
    await transport.send(queue, { data: 1 })
    expect(await transport.depth(queue)).toEqual({
      ready: 1,
      delayed: undefined,
      inFlight: undefined,
      deadLettered: 0,
      oldestAgeMs: undefined,
      lag: undefined,
    })
  })
})
