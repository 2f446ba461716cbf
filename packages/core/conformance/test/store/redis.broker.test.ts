import { Redis } from 'ioredis'
import { afterAll, beforeAll } from 'vitest'
import { describeStore } from '@posthorn/conformance'
import { startRedis, type TestServer } from '@posthorn/test-brokers'
import { redisSubject } from './redis-subject.ts'

let server: TestServer
let cluster: TestServer
const clients: Redis[] = []
const clusterClients: Redis[] = []

beforeAll(async () => {
  server = await startRedis()
  cluster = await startRedis({ config: { 'cluster-enabled': 'yes' } })
  for (let count = 0; count < 3; count += 1) {
    clients.push(new Redis(server.url))
    clusterClients.push(new Redis(cluster.url))
  }
  // A cluster of one node refuses what is not in one slot, as any other.
  await clusterClients[0]!.cluster('ADDSLOTSRANGE', 0, 16_383)
  for (;;) if ((await clusterClients[0]!.cluster('INFO')).includes('cluster_state:ok')) break
}, 180_000)

afterAll(async () => {
  for (const client of [...clients, ...clusterClients]) client.disconnect()
  await server?.stop()
  await cluster?.stop()
})

describeStore({ ...redisSubject('redis', () => clients), programs: 100 })
describeStore({ ...redisSubject('redis in a cluster', () => clusterClients), programs: 20 })
