import { AccessRefused, type KafkaClient, type KafkaWire, type NodeAddress } from './kafka-client.ts'
import { clusterOf, loginOf, type KafkajsConnection } from './kafkajs-internals.ts'
import type { Kafka } from 'kafkajs'

/** So many brokers of an instance are asked for; its list can be a function that answers differently each time. */
const maxBootstrap = 100

/**
 * kafkajs for connections, TLS and SASL, and nothing else of it: neither its consumer nor its producer, whose retries and
 * restarts lose messages. Brokers are those of the instance unless `given` names them.
 */
export function kafkajsClient(kafka: Kafka, given?: readonly NodeAddress[]): KafkaClient<Kafka> {
  const cluster = clusterOf(kafka)
  return {
    native: kafka,
    async bootstrap() {
      if (given !== undefined) return given
      const found = new Map<string, NodeAddress>()
      while (found.size < maxBootstrap) {
        const { host, port } = await cluster.connectionPoolBuilder.build()
        if (found.has(`${host}:${port}`)) break
        found.set(`${host}:${port}`, { host, port })
      }
      return [...found.values()]
    },
    async connect({ host, port }, signal) {
      const pool = await cluster.connectionPoolBuilder.build({ host, port })
      signal.throwIfAborted()
      const { connection, broker } = loginOf(cluster, pool)
      // Only of use with limits that are not set here; it arms a timer in the past for every answer.
      connection.requestQueue.scheduleCheckPendingRequests = () => undefined
      try {
        // Asks for the versions and logs in.
        await Promise.race([broker.connect(), rejectOn(signal)])
        return new KafkajsWire(connection)
      } catch (error) {
        const isRefusal = isRefused(error) && connection.isConnected()
        giveUp(connection, 'it was given up')
        throw isRefusal ? new AccessRefused((error as Error).message, { cause: error }) : error
      }
    },
  }
}

const refusals: ReadonlySet<unknown> = new Set(['UNSUPPORTED_SASL_MECHANISM', 'ILLEGAL_SASL_STATE'])

/** As kafkajs says it; but also where the socket ended meanwhile, or nothing was answered. */
function isRefused(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if ('type' in error && refusals.has(error.type)) return true
  return error.name === 'KafkaJSSASLAuthenticationError' && !error.message.includes('timed out')
}

function rejectOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
}

function giveUp({ requestQueue, socket }: KafkajsConnection, reason: string): void {
  const error = new Error(`The connection ended: ${reason}`)
  requestQueue.rejectAll(error)
  requestQueue.destroy()
  // While it connects, kafkajs ends its timer for an error alone.
  if (socket?.destroyed === false) socket.destroy(socket.connecting ? error : undefined)
}

class KafkajsWire implements KafkaWire {
  private readonly connection: KafkajsConnection
  private isOver = false

  constructor(connection: KafkajsConnection) {
    this.connection = connection
    // kafkajs listens for the end that the other side announces, not for a socket that is destroyed.
    this.onEnd(() => giveUp(connection, 'it was closed'))
  }

  get isOpen(): boolean {
    return !this.isOver && this.connection.isConnected() && this.connection.socket?.destroyed === false
  }

  onEnd(listener: () => void): void {
    const { socket } = this.connection
    if (socket?.destroyed === false) socket.once('close', listener)
    else listener()
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
    this.isOver = true
    giveUp(this.connection, 'it was given up')
  }
}
