import { kafka } from '@posthorn/kafka'
import { fixed, type Transport } from '@posthorn/transport'
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs'
import { tryStartKafka, type KafkaServer } from '@posthorn/test-brokers'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'

const patience = { timeout: 20_000, interval: 20 }
const logins = 'user_clerk="secret" user_reader="secret"'

let server: KafkaServer | undefined
let missing: string | undefined
let opened: Transport<unknown>[] = []

const { READ, WRITE, DESCRIBE_CONFIGS, DELETE, CREATE, ALTER } = AclOperationTypes
const { TOPIC, GROUP } = AclResourceTypes

beforeAll(async () => {
  ;({ server, reason: missing } = await tryStartKafka({
    listeners: { LOGIN: 'SASL_PLAINTEXT' },
    config: {
      'sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.login.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${logins};`,
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
    },
  }))
  if (server === undefined) return
  const admin = new Kafka({ brokers: [...server.brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const allow = (user: string, resourceType: AclResourceTypes, operations: readonly AclOperationTypes[]) =>
    operations.map((operation) => ({
      principal: `User:${user}`,
      resourceType,
      operation,
      resourceName: 'shop',
      resourcePatternType: ResourcePatternTypes.PREFIXED,
      permissionType: AclPermissionTypes.ALLOW,
      host: '*',
    }))
  await admin.createAcls({
    acl: [
      // As the README has it.
      ...allow('clerk', TOPIC, [READ, WRITE, DESCRIBE_CONFIGS, DELETE, CREATE, ALTER]),
      ...allow('clerk', GROUP, [READ]),
      ...allow('reader', TOPIC, [READ]),
    ],
  })
  await admin.disconnect()
}, 180_000)

beforeEach((context) => {
  if (missing !== undefined) context.skip(missing)
})
afterEach(async () => {
  await Promise.all(opened.map((transport) => transport.close()))
  opened = []
})
afterAll(() => server?.stop())

async function open(user: string): Promise<Transport<unknown>> {
  const url = `kafka://${user}:secret@${server?.listeners['LOGIN']?.join(',')}`
  const transport = await kafka({ url, namespace: 'shop' })
  opened.push(transport)
  return transport
}

test('the permissions that the README names are enough for all that is done', async () => {
  const transport = await open('clerk')
  const seen: unknown[] = []
  await transport.consume(
    'orders',
    ({ data }, context) => {
      if (data === 'bad' && seen.length < 3) return context.deadLetter({ reason: 'bad' })
      if (context.attempt === 1) throw new Error('again')
      seen.push(data)
      return undefined
    },
    { retryDelay: fixed(10), order: 'key' },
  )
  await transport.subscribe('events', ({ data }) => void seen.push(data), { group: 'audit' })
  await transport.subscribe('events', ({ data }) => void seen.push(`${String(data)} on the screen`), {
    ephemeral: true,
  })
  await transport.sendMany('orders', [{ data: 'good', key: 'a' }, { data: 'bad' }])
  await transport.publish('events', { data: 'event', type: 'made' })
  const letters = transport.deadLetters('orders')
  await vi.waitFor(async () => expect(await letters.count()).toBe(1), patience)
  await vi.waitFor(
    () => expect(seen).toEqual(expect.arrayContaining(['event', 'event on the screen', 'good'])),
    patience,
  )
  await letters.replay('all')
  await vi.waitFor(() => expect(seen).toContain('bad'), patience)
  const inbox = await transport.inbox(({ data }) => void seen.push(data))
  await transport.send(inbox.address, { data: 'answer' })
  await vi.waitFor(() => expect(seen).toContain('answer'), patience)
  await inbox.close()
  expect(await transport.depth('orders')).toMatchObject({ deadLettered: 0 })
})

test('what is not permitted is refused, naming the topic', async () => {
  const transport = await open('reader')
  const refused = expect.objectContaining({
    code: 'POSTHORN_ACCESS_DENIED',
    retryable: false,
    message: expect.stringContaining('shop...'),
  })
  await expect(transport.send('payments', { data: 1 })).rejects.toEqual(refused)
  await expect(transport.consume('payments', () => undefined)).rejects.toEqual(refused)
  const sender = await open('clerk')
  await sender.declare({ queues: [{ name: 'payments' }] })
  await expect(transport.send('payments', { data: 1 })).rejects.toEqual(refused)
})
