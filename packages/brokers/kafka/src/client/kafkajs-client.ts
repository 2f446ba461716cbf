import type { Kafka } from 'kafkajs'
import type { KafkajsCluster, KafkajsConnection } from './kafkajs-internals.ts'
import { AccessRefused, type KafkaClient, type KafkaWire } from './kafka-client.ts'

/**
 * kafkajs for connections, TLS and SASL, and nothing else of it: neither its consumer nor its producer, whose retries and
 * restarts lose messages.
 */
export function kafkajsClient(kafka: Kafka): KafkaClient {
  const cluster = clusterOf(kafka)
  return {
    native: kafka,
    async connect(address) {
      const pool = await cluster.connectionPoolBuilder.build(
        address === undefined ? undefined : { host: address.host, port: address.port },
      )
      const broker = cluster.brokerPool.createBroker({ connectionPool: pool, logger: cluster.rootLogger })
      // Only of use with limits that are not set here; it arms a timer in the past for every answer.
      for (const { requestQueue } of pool.pool) requestQueue.scheduleCheckPendingRequests = () => undefined
      // Asks for the versions and logs in.
      await broker.connect().catch((error: unknown) => {
        const { name, message } = error as Error
        throw name === 'KafkaJSSASLAuthenticationError' ? new AccessRefused(message, { cause: error }) : error
      })
      return new KafkajsWire(await pool.getConnection(0))
    },
  }
}

/** An assigner is given the consumer's cluster, as soon as there is a consumer, and before anything is connected. */
function clusterOf(kafka: Kafka): KafkajsCluster {
  let found: unknown
  kafka.consumer({
    groupId: 'unused',
    partitionAssigners: [
      ({ cluster }) => {
        found = cluster
        return { name: 'unused', version: 0, assign: () => Promise.resolve([]), protocol: () => unused }
      },
    ],
  })
  return found as KafkajsCluster
}

const unused = { name: 'unused', metadata: Buffer.alloc(0) }

class KafkajsWire implements KafkaWire {
  private readonly connection: KafkajsConnection

  constructor(connection: KafkajsConnection) {
    this.connection = connection
    // kafkajs listens for the end that the other side announces, not for a socket that is destroyed.
    connection.socket.on('close', () => this.drop('it was closed'))
  }

  get isOpen(): boolean {
    return this.connection.isConnected() && !this.connection.socket.destroyed
  }

  onEnd(listener: () => void): void {
    const { socket } = this.connection
    if (socket.destroyed) listener()
    else socket.once('close', listener)
  }

  request(api: number, version: number, body: Uint8Array): Promise<Buffer> {
    const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    return this.connection.send({
      request: {
        apiKey: api,
        apiVersion: version,
        apiName: `${api}`,
        encode: () => ({ buf: buffer, buffer }),
      },
      response: {
        decode: (payload) => ({ payload, clientSideThrottleTime: null }),
        parse: ({ payload }) => payload,
      },
      // How long to wait is decided above.
      requestTimeout: 2_147_483_647,
      logResponseError: false,
    })
  }

  close(): void {
    this.drop('it was given up')
    this.connection.socket.destroy()
  }

  private drop(reason: string): void {
    this.connection.requestQueue.rejectAll(new Error(`The connection ended: ${reason}`))
    this.connection.requestQueue.destroy()
  }
}
