import { Kafka, logLevel, type SASLOptions } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startKafka, tryStartKafka, type KafkaServer } from '../src/index.ts'

// Fetching the jars the first time takes as long as the network does.
const startMs = 240_000

describe('Kafka', () => {
  let server: KafkaServer | undefined
  let reason: string | undefined

  beforeAll(async () => {
    ;({ server, reason } = await tryStartKafka())
  }, startMs)

  afterAll(async () => server?.stop())

  test('keeps what it has confirmed through a kill and a restart', { timeout: 60_000 }, async (context) => {
    if (server === undefined) return context.skip(reason)
    const { pid } = server
    await send(server.brokers, 'orders', 1, ['first'])
    await server.kill()
    expect(server.running).toBe(false)
    await server.restart()
    expect(server.pid).not.toBe(pid)
    expect(await offsets(server.brokers, 'orders')).toEqual(['1'])
  })

  test('is used, and left alone, where the environment names it', async (context) => {
    if (server === undefined) return context.skip(reason)
    vi.stubEnv('POSTHORN_KAFKA_URL', server.url)
    const external = await startKafka()
    vi.unstubAllEnvs()
    expect(external).toMatchObject({ external: true, url: server.url, brokers: server.brokers })
    await expect(external.kill()).rejects.toThrow('Cannot kill the server of POSTHORN_KAFKA_URL')
    await external.stop()
    expect(server.running).toBe(true)
  })

  test('takes users and their passwords, and nobody else', { timeout: startMs }, async (context) => {
    if (server === undefined) return context.skip(reason)
    const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule'
    const secured = await startKafka({
      protocol: 'SASL_PLAINTEXT',
      scramUsers: { clerk: 'clerk-secret' },
      config: {
        'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
        'sasl.mechanism.inter.broker.protocol': 'PLAIN',
        'listener.name.clients.plain.sasl.jaas.config': `${plain} required username="broker" password="b" user_broker="b";`,
        'listener.name.clients.scram-sha-256.sasl.jaas.config':
          'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      },
    })
    const as = (password: string): SASLOptions => ({
      mechanism: 'scram-sha-256',
      username: 'clerk',
      password,
    })
    await send(secured.brokers, 'orders', 1, ['a'], as('clerk-secret'))
    await expect(send(secured.brokers, 'orders', 1, ['b'], as('wrong'))).rejects.toThrow('authentication')
    await secured.stop()
  })

  test('of three nodes goes on without one, and takes it in again', { timeout: startMs }, async (context) => {
    if (server === undefined) return context.skip(reason)
    const cluster = await startKafka({ nodes: 3 })
    await send(cluster.brokers, 'orders', 3, ['a'])
    await cluster.nodes[2]?.kill()
    await hasNodes(cluster.brokers.slice(0, 2), 2)
    await send(cluster.brokers.slice(0, 2), 'orders', 3, ['b'])
    await cluster.nodes[2]?.restart()
    await hasNodes(cluster.brokers.slice(2), 3)
    await send(cluster.brokers.slice(2), 'orders', 3, ['c'])
    expect(await offsets(cluster.brokers, 'orders')).toEqual(['3'])
    await cluster.stop()
  })
})

function client(brokers: readonly string[], sasl?: SASLOptions): Kafka {
  return new Kafka({
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 30, initialRetryTime: 200, maxRetryTime: 1_000 },
    ...(sasl === undefined ? {} : { sasl }),
  })
}

/**
 * A node that was killed is taken for alive for nine seconds, in which kafkajs may choose it as the controller and give
 * up on it at the first refused connection.
 */
async function hasNodes(brokers: readonly string[], count: number): Promise<void> {
  const nodes = async (): Promise<number> => {
    const admin = client(brokers).admin()
    try {
      await admin.connect()
      return (await admin.describeCluster()).brokers.length
    } finally {
      await admin.disconnect()
    }
  }
  await vi.waitFor(async () => expect(await nodes()).toBe(count), { timeout: 60_000, interval: 500 })
}

/** To a topic of one partition, which is made when it is not there. */
async function send(
  brokers: readonly string[],
  topic: string,
  replicationFactor: number,
  values: readonly string[],
  sasl?: SASLOptions,
): Promise<void> {
  const kafka = client(brokers, sasl)
  const admin = kafka.admin()
  const producer = kafka.producer()
  try {
    await admin.connect()
    await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor }] })
    await producer.connect()
    await producer.send({ topic, acks: -1, messages: values.map((value) => ({ value })) })
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()])
  }
}

/** The end of each partition. */
async function offsets(brokers: readonly string[], topic: string): Promise<string[]> {
  const admin = client(brokers).admin()
  await admin.connect()
  try {
    return (await admin.fetchTopicOffsets(topic)).map(({ high }) => high)
  } finally {
    await admin.disconnect()
  }
}
