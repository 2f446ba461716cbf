import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { inspect, promisify } from 'node:util'
import * as platformatic from '@platformatic/kafka'
import { kafka, type KafkaOptions } from '@posthorn/kafka'
import {
  findFreePorts,
  makeCertificates,
  tryFindOpenssl,
  tryStartKafka,
  type Certificates,
  type KafkaServer,
} from '@posthorn/test-brokers'
import { isPosthornError, type PosthornError, type Transport } from '@posthorn/transport'
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs'
import { systemClock } from '@posthorn/transport/driver'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { connectBy } from './connect-by.ts'
import { KafkaSockets } from './kafka-sockets.ts'
import { Writer } from '../src/protocol/writer.ts'

const startMs = 240_000
/** Of a login that expires. */
const sessionMs = 2_000
const patience = { timeout: 30_000, interval: 50 }
const security = 'org.apache.kafka.common.security'
const secret = 'hunter2'
const password = 'p@ss:word'
const clients = [
  ['kafkajs', {}],
  ['@platformatic/kafka', { client: platformatic }],
] as const satisfies readonly (readonly [string, Partial<KafkaOptions>])[]

interface Silent {
  readonly port: number
  accepted(): number
  open(): Promise<number>
  close(): Promise<void>
}

/** As a frozen node: connections are accepted, and nothing is ever said. */
async function listenSilently(): Promise<Silent> {
  let accepted = 0
  const listener = createServer((socket) => {
    accepted += 1
    socket.on('error', () => undefined).resume()
  })
  await once(listener.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (listener.address() as AddressInfo).port,
    accepted: () => accepted,
    open: promisify(listener.getConnections.bind(listener)),
    close: promisify(listener.close.bind(listener)),
  }
}

/** The answer to ApiVersions of a broker that has only these: API, from, to. */
function answerOf(ranges: readonly (readonly [number, number, number])[]): Buffer {
  const writer = new Writer()
  writer.int16(0).array(ranges, ([api, from, to]) => writer.int16(api).int16(from).int16(to))
  return Buffer.from(writer.bytes())
}

/** The logins of a listener: by PLAIN and SCRAM. */
function loginsOf(listener: string): Record<string, string> {
  const prefix = `listener.name.${listener}`
  const users = { clerk: password, stranger: password }
  const listed = Object.entries(users).map(([name, own]) => `user_${name}="${own}"`)
  return {
    [`${prefix}.plain.sasl.jaas.config`]: `${security}.plain.PlainLoginModule required ${listed.join(' ')};`,
    [`${prefix}.scram-sha-256.sasl.jaas.config`]: `${security}.scram.ScramLoginModule required;`,
    [`${prefix}.scram-sha-512.sasl.jaas.config`]: `${security}.scram.ScramLoginModule required;`,
  }
}

describe('connecting to Kafka', () => {
  let server: KafkaServer
  let certificates: Certificates
  let missing: string | undefined
  const open = new Set<Transport<unknown>>()

  beforeAll(async () => {
    const { server: openssl, reason } = await tryFindOpenssl()
    if (reason !== undefined) return void (missing = reason)
    certificates = await makeCertificates(openssl, 'clerk')
    const { authority, server: own } = certificates
    const started = await tryStartKafka({
      listeners: { LOGIN: 'SASL_PLAINTEXT', SHORT: 'SASL_PLAINTEXT', SECURE: 'SASL_SSL', MUTUAL: 'SSL' },
      scramUsers: { clerk: password },
      files: { 'server.pem': `${own.key}${own.cert}`, 'authority.pem': authority },
      config: {
        'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
        ...loginsOf('login'),
        ...loginsOf('short'),
        'listener.name.short.plain.connections.max.reauth.ms': sessionMs,
        ...loginsOf('secure'),
        'ssl.keystore.type': 'PEM',
        'ssl.keystore.location': '{folder}/server.pem',
        'ssl.truststore.type': 'PEM',
        'ssl.truststore.location': '{folder}/authority.pem',
        'listener.name.mutual.ssl.client.auth': 'required',
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS;User:clerk;User:CN=clerk',
        'group.min.session.timeout.ms': 1_000,
      },
    })
    if (started.reason !== undefined) return void (missing = started.reason)
    ;({ server } = started)
  }, startMs)

  beforeEach((context) => {
    if (missing !== undefined) context.skip(missing)
    return async () => {
      await Promise.all([...open].map((transport) => transport.close()))
      open.clear()
    }
  })

  afterAll(() => server?.stop())

  const urlOf = (scheme: string, listener: string, login = ''): string =>
    `${scheme}://${login}${server.listeners[listener]?.join(',')}`
  const clerk = `clerk:${encodeURIComponent(password)}@`
  const stranger = `stranger:${encodeURIComponent(password)}@`

  async function connect(options: KafkaOptions): Promise<Transport<unknown>> {
    const transport = await kafka({ partitions: 1, ...options })
    open.add(transport)
    return transport
  }

  /** Why it cannot be connected, which must not show a secret anywhere. */
  async function refusal(options: KafkaOptions): Promise<PosthornError> {
    const transport = await kafka(options).catch((error: unknown) => error)
    if (!isPosthornError(transport)) throw new Error('It was connected.')
    expect(inspect(transport, { depth: null, showHidden: true })).not.toContain(secret)
    return transport
  }

  async function roundTrip(options: KafkaOptions): Promise<unknown> {
    const transport = await connect(options)
    const queue = `orders-${crypto.randomUUID()}`
    const seen: unknown[] = []
    await transport.consume(queue, ({ data }) => void seen.push(data))
    await transport.send(queue, { data: 'through' })
    await vi.waitFor(() => expect(seen).toEqual(['through']), patience)
    return transport.health().state
  }

  describe.each(clients)('by %s', (_, client) => {
    test.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
      'a user of the URL is logged in by %s',
      async (sasl) => {
        const options = { url: urlOf('kafka', 'LOGIN', clerk), sasl, ...client }
        await expect(roundTrip(options)).resolves.toBe('up')
      },
    )

    test.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
      'a wrong password is told, final, and shown nowhere: %s',
      async (sasl) => {
        const error = await refusal({ url: urlOf('kafka', 'LOGIN', `clerk:${secret}@`), sasl, ...client })
        expect([error.code, error.retryable, error.phase]).toEqual([
          'POSTHORN_ACCESS_DENIED',
          false,
          'connect',
        ])
        expect(error.message).toMatch(/user and password/)
      },
    )

    test('a login where there are none is refused', async () => {
      const url = `kafka://clerk:${secret}@${server.brokers.join(',')}`
      const error = await refusal({ url, ...client })
      expect([error.code, error.retryable]).toEqual(['POSTHORN_ACCESS_DENIED', false])
      expect(error.message).toContain('a port without logins')
    })

    test('no login where one is asked for says what to give', async () => {
      const error = await refusal({ url: urlOf('kafka', 'LOGIN'), ...client, connectTimeoutMs: 2_000 })
      expect([error.code, error.retryable]).toEqual(['POSTHORN_CONNECT_FAILED', true])
      expect(error.message).toContain('give user and password')
    })

    test('TLS with a login goes to a broker whose authority is given', async () => {
      const tls = { ca: certificates.authority }
      const url = urlOf('kafkas', 'SECURE', clerk)
      await expect(roundTrip({ url, tls, sasl: 'scram-sha-512', ...client })).resolves.toBe('up')
    })

    test('a certificate says who the client is', async () => {
      const tls = { ca: certificates.authority, ...certificates.client }
      await expect(roundTrip({ url: urlOf('kafkas', 'MUTUAL'), tls, ...client })).resolves.toBe('up')
    })

    test.each([
      ['an authority that did not sign', () => ({ ca: certificates.other }), 'tls.ca'],
      ['no authority', () => ({}), 'tls.ca'],
      [
        'a name that the certificate is not for',
        () => ({ ca: certificates.authority, servername: 'localhost' }),
        'tls.servername',
      ],
    ])('%s ends the attempts, and the error says what to give', async (_name, tls, advice) => {
      const url = urlOf('kafkas', 'SECURE', `clerk:${secret}@`)
      const error = await refusal({ url, tls: tls(), ...client })
      expect([error.code, error.retryable]).toEqual(['POSTHORN_CONNECT_FAILED', false])
      expect(error.message).toContain(advice)
    })

    test('no certificate of the client where one is asked for ends the attempts', async () => {
      const error = await refusal({
        url: urlOf('kafkas', 'MUTUAL'),
        tls: { ca: certificates.authority },
        ...client,
      })
      expect([error.code, error.retryable]).toEqual(['POSTHORN_CONNECT_FAILED', false])
      expect(error.message).toContain('tls.cert')
    })

    test('a port that does not speak TLS ends the attempts', async () => {
      const url = `kafkas://clerk:${secret}@${server.brokers.join(',')}`
      const error = await refusal({ url, ...client, connectTimeoutMs: 3_000 })
      expect(error.code).toBe('POSTHORN_CONNECT_FAILED')
      expect(error.message).toContain('use kafka:')
    })

    test('TLS that is not spoken where it is asked for says what to use', async () => {
      const error = await refusal({
        url: urlOf('kafka', 'SECURE', `clerk:${secret}@`),
        ...client,
        connectTimeoutMs: 2_000,
      })
      expect(error.code).toBe('POSTHORN_CONNECT_FAILED')
      expect(error.message).toContain('kafkas:')
    })

    test('of a list that is partly dead, one that lives is found', async () => {
      const [dead] = await findFreePorts(1)
      const url = `kafka://127.0.0.1:${dead},${server.brokers.join(',')}`
      await expect(roundTrip({ url, ...client })).resolves.toBe('up')
    })

    test('of a list in which one says nothing, one that lives is found, and no socket is left', async () => {
      const silent = await listenSilently()
      const url = `kafka://127.0.0.1:${silent.port},${server.brokers.join(',')}`
      // It is asked first.
      const clock = { ...systemClock, random: () => 0 }
      const transport = await connect({ url, clock, ...client })
      expect(transport.health().state).toBe('up')
      expect(silent.accepted()).toBeGreaterThan(0)
      await transport.close()
      await vi.waitFor(async () => expect(await silent.open()).toBe(0), patience)
      await silent.close()
    })

    test('a node that lets nobody in is left when the time is over, without a socket', async () => {
      const silent = await listenSilently()
      const url = `kafka://127.0.0.1:${silent.port}`
      const error = await refusal({ url, ...client, connectTimeoutMs: 1_000 })
      expect(error).toMatchObject({ code: 'POSTHORN_CONNECT_FAILED', retryable: true })
      await vi.waitFor(async () => expect(await silent.open()).toBe(0), patience)
      await silent.close()
    })

    test('where nobody listens, it says so after the time that is allowed', async () => {
      const [port] = await findFreePorts(1)
      const error = await refusal({ url: `kafka://127.0.0.1:${port}`, ...client, connectTimeoutMs: 500 })
      expect(error).toMatchObject({ code: 'POSTHORN_CONNECT_FAILED', retryable: true })
    })

    test('who may do nothing is told by what is asked, and which permission is missing', async () => {
      const queue = `private-${crypto.randomUUID()}`
      await (await connect({ url: server.url, ...client })).declare({ queues: [{ name: queue }] })
      const transport = await connect({
        url: urlOf('kafka', 'LOGIN', stranger),
        topology: 'check',
        sendTimeoutMs: 10_000,
        ...client,
      })
      const denied = { code: 'POSTHORN_ACCESS_DENIED', retryable: false }
      await expect(transport.send(queue, { data: 1 })).rejects.toMatchObject({
        ...denied,
        outcome: 'rejected',
      })
      await expect(transport.consume(queue, () => undefined)).rejects.toMatchObject(denied)
      await expect(transport.declare({ queues: [{ name: `${queue}-2` }] })).rejects.toMatchObject(denied)
    })
  })

  test('a login that expires is renewed under way by @platformatic/kafka, and what waits for it leaves no listeners', async () => {
    const warnings: string[] = []
    const warn = ({ message }: Error): unknown => warnings.push(message)
    process.on('warning', warn)
    const transport = await connect({ url: urlOf('kafka', 'SHORT', clerk), client: platformatic })
    const queue = `orders-${crypto.randomUUID()}`
    await transport.declare({ queues: [{ name: queue }] })
    const until = systemClock.now() + 3 * sessionMs
    while (systemClock.now() < until) {
      const asked = Array.from({ length: 30 }, () => transport.depth(queue))
      await Promise.all([transport.send(queue, { data: 1 }), ...asked])
    }
    process.off('warning', warn)
    expect(warnings).toEqual([])
    expect(transport.health().state).toBe('up')
  })

  test('who may read a topic, and not as this group, is told so', async () => {
    const queue = `private-${crypto.randomUUID()}`
    await (await connect({ url: server.url })).declare({ queues: [{ name: queue }] })
    const admin = new Kafka({ brokers: [...server.brokers], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    await admin.createAcls({
      acl: [AclOperationTypes.READ, AclOperationTypes.WRITE, AclOperationTypes.DESCRIBE].map((operation) => ({
        resourceType: AclResourceTypes.TOPIC,
        resourceName: queue,
        resourcePatternType: ResourcePatternTypes.PREFIXED,
        principal: 'User:stranger',
        host: '*',
        operation,
        permissionType: AclPermissionTypes.ALLOW,
      })),
    })
    await admin.disconnect()
    const transport = await connect({ url: urlOf('kafka', 'LOGIN', stranger), topology: 'check' })
    const consumed = transport.consume(queue, () => undefined)
    await expect(consumed).rejects.toMatchObject({ code: 'POSTHORN_ACCESS_DENIED', retryable: false })
    await expect(consumed).rejects.toThrow('GROUP_AUTHORIZATION_FAILED')
  })

  test('a login that is refused when it is connected anew ends the attempts, and health says why', async () => {
    const sockets = new KafkaSockets()
    const sasl = { mechanism: 'plain' as const, username: 'clerk', password }
    const instance = new Kafka({
      brokers: [...server.listeners['LOGIN']!],
      logLevel: logLevel.NOTHING,
      sasl,
      socketFactory: sockets.factory,
    })
    const transport = await connect({ kafka: instance })
    const told: unknown[] = []
    transport.on('connection', (event) => told.push(event))
    sasl.password = secret
    sockets.cut()
    const found = { state: 'down', error: { code: 'POSTHORN_ACCESS_DENIED', retryable: false } }
    await vi.waitFor(() => expect(transport.health()).toMatchObject(found), patience)
    expect(inspect([told, transport.health()], { depth: null })).not.toContain(secret)
  })

  test('a broker that lacks what is asked is refused, with what it has instead', async () => {
    const sockets = new KafkaSockets()
    sockets.decide = ({ api, version }) =>
      api === 18 && version === 0 ? { answer: answerOf([[1, 4, 6]]) } : 'pass'
    const options = connectBy(server.brokers, sockets)
    const error = await refusal(options)
    expect([error.code, error.retryable, error.phase]).toEqual(['POSTHORN_UNSUPPORTED', false, 'connect'])
    expect(error.message).toMatch(/Fetch \d+ \(it has 4 to 6\)/)
    expect(error.message).toContain('DeleteRecords at all')
  })

  test('an instance of kafkajs is used with its brokers, TLS, login, name and logger', async () => {
    const said: string[] = []
    const named: string[] = []
    const instance = new Kafka({
      clientId: 'shop',
      brokers: () => server.listeners['SECURE']!.slice(),
      ssl: { ca: certificates.authority },
      sasl: {
        mechanism: 'plain',
        authenticationProvider: ({ host, port, saslAuthenticate }) => ({
          async authenticate() {
            named.push(`${host}:${port}`)
            const encode = (): Buffer => Buffer.from(`\0clerk\0${password}`)
            const bytes = encode()
            const size = Buffer.alloc(4)
            size.writeInt32BE(bytes.length)
            await saslAuthenticate({ request: { encode: () => Buffer.concat([size, bytes]) } })
          },
        }),
      },
      logLevel: logLevel.DEBUG,
      logCreator:
        () =>
        ({ log }) =>
          void said.push(JSON.stringify(log)),
    })
    await expect(roundTrip({ kafka: instance })).resolves.toBe('up')
    expect(new Set(named)).toEqual(new Set(server.listeners['SECURE']))
    expect(said.some((line) => line.includes('"clientId":"shop"'))).toBe(true)
  })
})
