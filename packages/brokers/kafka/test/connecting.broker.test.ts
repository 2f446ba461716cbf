import { inspect } from 'node:util'
import { kafka, type KafkaOptions } from '@posthorn/kafka'
import { findFreePorts, tryStartKafka, type KafkaServer } from '@posthorn/test-brokers'
import { isPosthornError, type PosthornError } from '@posthorn/transport'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const startMs = 120_000
const login = 'org.apache.kafka.common.security'
const secret = 'hunter2'

describe('connecting to Kafka with SASL', () => {
  let server: KafkaServer | undefined
  let reason: string | undefined

  beforeAll(async () => {
    const started = await tryStartKafka({
      protocol: 'SASL_PLAINTEXT',
      scramUsers: { clerk: 'p@ss:word' },
      config: {
        'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
        'sasl.mechanism.inter.broker.protocol': 'PLAIN',
        'listener.name.clients.plain.sasl.jaas.config': `${login}.plain.PlainLoginModule required username="broker" password="b" user_broker="b" user_clerk="p@ss:word";`,
        'listener.name.clients.scram-sha-256.sasl.jaas.config': `${login}.scram.ScramLoginModule required;`,
        'listener.name.clients.scram-sha-512.sasl.jaas.config': `${login}.scram.ScramLoginModule required;`,
      },
    })
    server = started.server
    reason = started.reason
  }, startMs)

  afterAll(() => server?.stop())

  async function refusal(options: KafkaOptions): Promise<PosthornError> {
    const transport = await kafka(options).catch((error: unknown) => error)
    if (!isPosthornError(transport)) throw new Error('It was connected.')
    return transport
  }

  test.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
    'a user of the URL is logged in by %s, sends and receives',
    async (sasl) => {
      if (server === undefined) return expect(reason).toBeUndefined()
      const url = `kafka://clerk:${encodeURIComponent('p@ss:word')}@${server.brokers.join(',')}`
      const transport = await kafka({ url, sasl, partitions: 1 })
      const received = new Promise((resolve) => {
        void transport.consume(`orders-${sasl}`, ({ data }) => resolve(data))
      })
      await transport.send(`orders-${sasl}`, { data: 1 })
      expect(await received).toBe(1)
      await transport.close()
    },
  )

  test('a wrong password is told, final, and shown nowhere', async () => {
    if (server === undefined) return expect(reason).toBeUndefined()
    const error = await refusal({ url: `kafka://clerk:${secret}@${server.brokers.join(',')}` })
    expect(error).toMatchObject({ code: 'POSTHORN_ACCESS_DENIED', retryable: false, phase: 'connect' })
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain(secret)
  })

  test('where nobody listens, it says so after the time that is allowed', async () => {
    const [port] = await findFreePorts(1)
    const error = await refusal({ url: `kafka://127.0.0.1:${port}`, connectTimeoutMs: 500 })
    expect(error).toMatchObject({ code: 'POSTHORN_CONNECT_FAILED', retryable: true })
  })
})
