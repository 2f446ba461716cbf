import { PosthornError } from '@posthorn/transport/driver'
import type { Kafka } from 'kafkajs'
import type { Socket } from 'node:net'

/** What is used of kafkajs beyond its declared types, as version 2.2.4 has it. */
export interface KafkajsCluster {
  readonly connectionPoolBuilder: {
    /** Without an address, that of another one of its brokers each time. Connects nothing. */
    build(address?: { readonly host: string; readonly port: number }): Promise<KafkajsConnectionPool>
  }
  readonly brokerPool: {
    createBroker(options: {
      readonly connectionPool: KafkajsConnectionPool
      readonly logger: unknown
    }): KafkajsBroker
  }
  readonly rootLogger: unknown
}

export interface KafkajsBroker {
  connect(): Promise<void>
}

export interface KafkajsConnectionPool {
  readonly host: string
  readonly port: number
  readonly pool: readonly [KafkajsConnection, ...KafkajsConnection[]]
}

export interface KafkajsConnection {
  /** Not before it has begun to connect. */
  readonly socket: Socket | undefined
  readonly requestQueue: {
    scheduleCheckPendingRequests: () => void
    rejectAll(error: Error): void
    destroy(): void
  }
  isConnected(): boolean
  send(protocol: {
    readonly request: {
      readonly apiKey: number
      readonly apiVersion: number
      readonly apiName: string
      readonly encode: () => { readonly buf: Buffer; readonly buffer: Buffer }
    }
    readonly response: {
      readonly decode: (payload: Buffer) => {
        readonly payload: Buffer
        readonly clientSideThrottleTime: null
      }
      readonly parse: (decoded: { readonly payload: Buffer }) => Buffer
    }
    readonly requestTimeout: number
    readonly logResponseError: false
  }): Promise<Buffer>
}

/**
 * An assigner is given the consumer's cluster, as soon as there is a consumer, and before anything is connected. Throws where
 * this is another kafkajs than the one that is known here.
 */
export function clusterOf(kafka: Kafka): KafkajsCluster {
  let found: unknown
  try {
    kafka.consumer({
      groupId: 'unused',
      partitionAssigners: [
        ({ cluster }) => {
          found = cluster
          return { name: 'unused', version: 0, assign: () => Promise.resolve([]), protocol: () => unused }
        },
      ],
    })
  } catch (error) {
    throw otherKafkajs('consumer({ partitionAssigners })', error)
  }
  requireMethods(found, 'cluster', ['connectionPoolBuilder.build', 'brokerPool.createBroker'])
  return found as KafkajsCluster
}

const unused = { name: 'unused', metadata: Buffer.alloc(0) }

/** Its first connection and the broker by which it logs in; throws as `clusterOf`. */
export function loginOf(
  cluster: KafkajsCluster,
  pool: KafkajsConnectionPool,
): { readonly connection: KafkajsConnection; readonly broker: KafkajsBroker } {
  requireMethods(pool, 'connection pool', [
    'pool.0.send',
    'pool.0.isConnected',
    'pool.0.requestQueue.scheduleCheckPendingRequests',
    'pool.0.requestQueue.rejectAll',
    'pool.0.requestQueue.destroy',
  ])
  const broker = cluster.brokerPool.createBroker({ connectionPool: pool, logger: cluster.rootLogger })
  requireMethods(broker, 'broker', ['connect'])
  return { connection: pool.pool[0], broker }
}

function requireMethods(owner: unknown, name: string, paths: readonly string[]): void {
  for (const path of paths) {
    const found = path
      .split('.')
      .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], owner)
    if (typeof found !== 'function') throw otherKafkajs(`${path} of its ${name}`)
  }
}

function otherKafkajs(missing: string, cause?: unknown): PosthornError {
  const text = `This kafkajs does not have ${missing}, as 2.2.4 has it. Install kafkajs@2.2.4, or connect by @platformatic/kafka (client).`
  return new PosthornError('POSTHORN_UNSUPPORTED', text, { phase: 'connect', cause })
}
