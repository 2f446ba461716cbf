import { Cluster } from './cluster.ts'
import { connectFailed } from './connect-error.ts'
import { Connections } from './client/connections.ts'
import { KafkaConnection } from './connection.ts'
import { watchReach } from './reach.ts'
import type { KafkaClient } from './client/kafka-client.ts'
import type { KafkaSettings } from './options.ts'
import type { Driver } from '@posthorn/transport/driver'

export function createKafkaDriver<Native>(
  client: KafkaClient<Native>,
  settings: KafkaSettings,
): Driver<Native> {
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
        await cluster.connect()
      } catch (error) {
        connections.close()
        throw connectFailed(error)
      } finally {
        host.signal.removeEventListener('abort', giveUp)
      }
      watchReach(connections, cluster, host)
      return new KafkaConnection(client.native, connections, cluster, host, settings)
    },
  }
}
