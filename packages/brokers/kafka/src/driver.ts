import { Cluster } from './cluster.ts'
import { connectFailed } from './connect-error.ts'
import { Connections } from './client/connections.ts'
import { KafkaConnection } from './connection.ts'
import { kafkajsClient } from './client/kafkajs-client.ts'
import { openClient } from './open-client.ts'
import { watchReach } from './reach.ts'
import type { Kafka } from 'kafkajs'
import type { KafkaSettings } from './options.ts'
import type { Driver } from '@posthorn/transport/driver'

export function createKafkaDriver(settings: KafkaSettings): Driver<Kafka> {
  const kafka = openClient(settings)
  const client = kafkajsClient(kafka)
  return {
    specificationVersion: 'v1',
    name: 'kafka',
    async connect(host) {
      const connections = new Connections(client, host.clock)
      const cluster = new Cluster(connections, host.clock)
      const giveUp = (): void => connections.close()
      host.signal.addEventListener('abort', giveUp, { once: true })
      try {
        // Whoever logs in and answers is Kafka.
        await cluster.refresh([])
        // What was given may be names for what the nodes call themselves.
        await Promise.all([cluster.openConnections('main'), cluster.openConnections('publish')])
        connections.end('bootstrap')
      } catch (error) {
        connections.close()
        throw connectFailed(error)
      } finally {
        host.signal.removeEventListener('abort', giveUp)
      }
      watchReach(connections, cluster, host)
      return new KafkaConnection(kafka, connections, cluster, host, settings)
    },
  }
}
