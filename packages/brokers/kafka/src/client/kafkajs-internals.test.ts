import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { kafkajsClient } from './kafkajs-client.ts'
import { clusterOf, loginOf, type KafkajsCluster } from './kafkajs-internals.ts'

const kafka = new Kafka({ brokers: ['a:1', 'b:2', 'a:1'], logLevel: logLevel.NOTHING })
const refusal = expect.objectContaining({ code: 'POSTHORN_UNSUPPORTED', retryable: false, phase: 'connect' })

test('the brokers of an instance are known', async () => {
  const addresses = [
    { host: 'a', port: 1 },
    { host: 'b', port: 2 },
  ]
  expect(await kafkajsClient(kafka).bootstrap()).toEqual(addresses)
})

test.each([
  [
    'refuses assigners',
    () => {
      throw new Error('not supported')
    },
  ],
  ['shows no cluster', () => ({})],
])('a Kafka that %s is refused, and the error says which version to install', (_, consumer) => {
  const find = (): unknown => clusterOf({ consumer } as unknown as Kafka)
  expect(find).toThrow(refusal)
  expect(find).toThrow('Install kafkajs@2.2.4')
})

test('a cluster whose connections are others is refused', async () => {
  const cluster = clusterOf(kafka)
  const pool = await cluster.connectionPoolBuilder.build()
  const { pool: connections, ...rest } = pool
  const changed = { ...rest, pool: [{ ...connections[0], send: undefined }] } as never
  expect(() => loginOf(cluster, changed)).toThrow(refusal)
  const without: KafkajsCluster = { ...cluster, brokerPool: { createBroker: () => ({}) as never } }
  expect(() => loginOf(without, pool)).toThrow(refusal)
})
