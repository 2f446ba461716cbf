import { inspect } from 'node:util'
import { rabbitmq, type RabbitmqOptions } from '@posthorn/rabbitmq'
import {
  type Certificates,
  findFreePorts,
  makeCertificates,
  startTcpProxy,
  tryFindOpenssl,
} from '@posthorn/test-brokers'
import { fixed, isPosthornError, type PosthornError } from '@posthorn/transport'
import { systemClock } from '@posthorn/transport/driver'
import { describe, expect, test, vi } from 'vitest'
import { patience, version, withRabbitmq } from './with-rabbitmq.ts'

const secret = 'hunter2'
/** Who the client's certificate says that it is. */
const certified = 'shop'

describe(`connecting to RabbitMQ ${version}`, () => {
  let certificates: Certificates
  let tlsPort = 0

  const bench = withRabbitmq(async () => {
    const { server: openssl, reason } = await tryFindOpenssl()
    if (reason !== undefined) return { reason }
    certificates = await makeCertificates(openssl, certified)
    tlsPort = (await findFreePorts(1))[0] ?? 0
    return {
      plugins: ['rabbitmq_auth_mechanism_ssl'],
      files: {
        'authority.pem': certificates.authority,
        'server.pem': certificates.server.cert,
        'server.key': certificates.server.key,
      },
      config: {
        'listeners.ssl.1': `127.0.0.1:${tlsPort}`,
        'ssl_options.cacertfile': '{folder}/authority.pem',
        'ssl_options.certfile': '{folder}/server.pem',
        'ssl_options.keyfile': '{folder}/server.key',
        'ssl_options.verify': 'verify_peer',
        'ssl_options.fail_if_no_peer_cert': true,
        ssl_cert_login_from: 'common_name',
        'auth_mechanisms.1': 'PLAIN',
        'auth_mechanisms.2': 'EXTERNAL',
      },
    }
  })

  const tlsUrl = (login = 'guest:guest@', path = ''): string => `amqps://${login}127.0.0.1:${tlsPort}${path}`
  const trusted = (): object => ({ ca: certificates.authority, ...certificates.client })

  /** Why it cannot be connected, which must not show a secret anywhere. */
  async function refusal(options: RabbitmqOptions): Promise<PosthornError> {
    const transport = await rabbitmq(options).catch((error: unknown) => error)
    if (!isPosthornError(transport)) throw new Error('It was connected.')
    expect(inspect(transport, { depth: null, showHidden: true })).not.toContain(secret)
    return transport
  }

  async function users(): Promise<string[]> {
    const listed = await bench.server.ctl('list_connections', 'user', 'client_properties')
    return listed
      .split('\n')
      .flatMap((line) => (line.includes('posthorn') ? [line.split('\t')[0] ?? ''] : []))
  }

  async function addUser(user: string, ...permissions: readonly string[]): Promise<void> {
    await bench.server.ctl('add_user', user, secret)
    await bench.server.ctl('set_permissions', ...permissions, user, '.*', '.*', '.*')
  }

  async function roundTrip(options: Partial<RabbitmqOptions>): Promise<unknown> {
    const transport = await bench.open(options)
    const queue = bench.name('orders')
    const seen: unknown[] = []
    await transport.consume(queue, ({ data }) => void seen.push(data))
    await transport.send(queue, { data: 'through' })
    await vi.waitFor(() => expect(seen).toEqual(['through']), patience)
    return transport.health().state
  }

  describe('with a login', () => {
    test('a wrong password ends the attempts', async () => {
      const url = new URL(bench.server.url)
      url.password = secret
      const error = await refusal({ url: url.href })
      expect([error.code, error.retryable]).toEqual(['POSTHORN_ACCESS_DENIED', false])
      expect(error.message).toMatch(/user and password/)
    })

    test('a virtual host that does not exist ends the attempts, and is named', async () => {
      const error = await refusal({ url: `${bench.server.url}/no%2Fwhere` })
      expect([error.code, error.retryable]).toEqual(['POSTHORN_ACCESS_DENIED', false])
      expect(error.message).toContain('vhost no/where not found')
    })

    test('a virtual host that the user may not use ends the attempts', async () => {
      await addUser('stranger')
      await bench.server.ctl('clear_permissions', 'stranger')
      const url = new URL(bench.server.url)
      url.username = 'stranger'
      url.password = secret
      const error = await refusal({ url: url.href })
      expect([error.code, error.retryable]).toEqual(['POSTHORN_ACCESS_DENIED', false])
      expect(error.message).toContain("refused for user 'stranger'")
    })

    test('a virtual host that takes no more connections is waited for', async () => {
      await bench.server.ctl('add_vhost', 'small')
      await bench.server.ctl('set_permissions', '-p', 'small', 'guest', '.*', '.*', '.*')
      await bench.server.ctl('set_vhost_limits', '-p', 'small', '{"max-connections": 0}')
      const opening = bench.open({ url: `${bench.server.url}/small` })
      await bench.server.ctl('clear_vhost_limits', '-p', 'small')
      expect((await opening).health().state).toBe('up')
    })

    test('a virtual host that is deleted while it is used ends the attempts, and health says why', async () => {
      await bench.server.ctl('add_vhost', 'gone')
      await addUser('goner', '-p', 'gone')
      const url = new URL(bench.server.url)
      url.username = 'goner'
      url.password = secret
      url.pathname = '/gone'
      const transport = await bench.open({ url: url.href })
      const told: unknown[] = []
      transport.on('connection', (event) => told.push(event))
      await bench.server.ctl('delete_vhost', 'gone')
      const found = { state: 'down', error: { code: 'POSTHORN_ACCESS_DENIED', retryable: false } }
      await vi.waitFor(() => expect(transport.health()).toMatchObject(found), patience)
      expect(transport.health().reason).toContain('vhost gone not found')
      expect(inspect([told, transport.health()], { depth: null })).not.toContain(secret)
    })
  })

  describe('with few permissions', () => {
    async function urlOf(user: string, configure: string): Promise<string> {
      await bench.server.ctl('add_user', user, secret)
      await bench.server.ctl('set_permissions', user, configure, '.*', '.*')
      const url = new URL(bench.server.url)
      url.username = user
      url.password = secret
      return url.href
    }

    test('making a queue is refused, and the error names it and the permission', async () => {
      await (await bench.open()).declare({ queues: [{ name: bench.name('orders') }] })
      const transport = await bench.open({ url: await urlOf('reader', '^$') })
      const queue = bench.name('orders')
      const sent = transport.send(queue, { data: 1 })
      await expect(sent).rejects.toMatchObject({ code: 'POSTHORN_ACCESS_DENIED', outcome: 'rejected' })
      await expect(sent).rejects.toThrow(queue)
      await expect(sent).rejects.toThrow(/configure|permission/)
    })

    test('what is declared can be used by who may configure nothing but the locks of passes', async () => {
      const queue = bench.name('orders')
      await (await bench.open()).declare({ queues: [{ name: queue }] })
      const transport = await bench.open({ url: await urlOf('worker', '~pass$'), topology: 'check' })
      const attempts: number[] = []
      const consumer = await transport.consume(
        queue,
        (_, { attempt }) => {
          attempts.push(attempt)
          throw new Error('no')
        },
        { maxAttempts: 2, retryDelay: fixed(40) },
      )
      await transport.send(queue, { data: 1, delayMs: 10 })
      const letters = transport.deadLetters(queue)
      await vi.waitFor(async () => expect(await letters.count()).toBe(1), patience)
      await consumer.stop()
      expect(attempts).toEqual([1, 2])
      expect(await letters.replay('all')).toMatchObject({ replayed: 1 })
      expect(await transport.depth(queue)).toMatchObject({ ready: 1, deadLettered: 0 })
    })
  })

  describe('with several URLs', () => {
    test('takes one that can be reached', async () => {
      const urls = ['amqp://127.0.0.1:1', bench.server.url, 'amqp://127.0.0.1:2']
      await expect(roundTrip({ urls })).resolves.toBe('up')
    })

    test('tries them in random order', async () => {
      const [one, two] = [
        await startTcpProxy({ target: bench.server.url }),
        await startTcpProxy({ target: bench.server.url }),
      ]
      const urls = [one.url, two.url]
      for (const random of [0, 0.99])
        await bench.open({ urls, clock: { ...systemClock, random: () => random } })
      expect([one.accepted, two.accepted]).toEqual([2, 2])
      await Promise.all([one.close(), two.close()])
    })

    test('a wrong password is wrong for all of them', async () => {
      const url = new URL(bench.server.url)
      url.password = secret
      const error = await refusal({ urls: [url.href, url.href] })
      expect(error.code).toBe('POSTHORN_ACCESS_DENIED')
    })

    test('one with an untrusted certificate does not keep the others from being tried', async () => {
      const urls = [tlsUrl(), bench.server.url]
      const clock = { ...systemClock, random: () => 0 }
      await expect(roundTrip({ urls, clock, tls: { ca: certificates.other } })).resolves.toBe('up')
    })
  })

  describe('with TLS', () => {
    test('takes a server whose certificate the given authority has signed', async () => {
      await expect(roundTrip({ url: tlsUrl(), tls: trusted() })).resolves.toBe('up')
    })

    test.each([
      ['an authority that did not sign', () => ({ ...trusted(), ca: certificates.other }), 'tls.ca'],
      ['no authority', () => certificates.client, 'tls.ca'],
      [
        'a name that the certificate is not for',
        () => ({ ...trusted(), servername: 'localhost' }),
        'tls.servername',
      ],
      ['no certificate of the client', () => ({ ca: certificates.authority }), 'tls.cert'],
    ])('%s ends the attempts, and the error says what to give', async (_, tls, advice) => {
      const error = await refusal({ url: tlsUrl(`guest:${secret}@`), tls: tls() })
      expect([error.code, error.retryable]).toEqual(['POSTHORN_CONNECT_FAILED', false])
      expect(error.message).toContain(advice)
    })

    test('a port that does not speak TLS ends the attempts', async () => {
      const url = bench.server.url.replace('amqp:', 'amqps:').replace(':guest@', `:${secret}@`)
      const error = await refusal({ url, tls: trusted() })
      expect([error.code, error.retryable]).toEqual(['POSTHORN_CONNECT_FAILED', false])
      expect(error.message).toContain('does not speak TLS')
    })

    test('a virtual host that does not exist ends the attempts, and is named', async () => {
      const error = await refusal({ url: tlsUrl(undefined, '/nowhere'), tls: trusted() })
      expect(error.code).toBe('POSTHORN_ACCESS_DENIED')
      expect(error.message).toContain('vhost nowhere not found')
    })

    test('a certificate says who the client is', async () => {
      const options: RabbitmqOptions = { url: tlsUrl(''), tls: trusted(), auth: 'external' }
      expect((await refusal(options)).code).toBe('POSTHORN_ACCESS_DENIED')
      await addUser(certified)
      await expect(roundTrip(options)).resolves.toBe('up')
      await vi.waitFor(async () => expect(new Set(await users())).toEqual(new Set([certified])), patience)
      const elsewhere = await refusal({ ...options, url: tlsUrl('', '/nowhere') })
      expect(elsewhere.message).toContain('vhost nowhere not found')
    })

    test('a certificate is of no use where there is no TLS', async () => {
      const error = await refusal({ url: bench.server.url, auth: 'external' })
      expect(error.code).toBe('POSTHORN_ACCESS_DENIED')
    })
  })

  test('agrees on the heartbeat with the server', async () => {
    await bench.open({ heartbeatS: 7 })
    const listed = async (): Promise<string[]> =>
      (await bench.server.ctl('list_connections', 'timeout', 'client_properties'))
        .split('\n')
        .flatMap((line) => (line.includes('posthorn') ? [line.split('\t')[0] ?? ''] : []))
    await vi.waitFor(async () => expect(await listed()).toEqual(['7', '7']), patience)
  })

  test('finds out the version, and by it what the server can do', async () => {
    const transport = await bench.open()
    expect(transport.health().version).toBe(bench.server.version)
    const { priority, uncountedRelease } = transport.capabilities.features
    const [major = 0, minor = 0] = bench.server.version.split('.').map(Number)
    const isNew = major > 4 || (major === 4 && minor >= 3)
    expect([priority.level, uncountedRelease.level]).toEqual([
      major >= 4 ? 'native' : 'unsupported',
      isNew ? 'native' : 'unsupported',
    ])
  })
})
