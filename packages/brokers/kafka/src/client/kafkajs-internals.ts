import type { Socket } from 'node:net'

/** What is used of kafkajs beyond its declared types, as version 2.2.4 has it. */
export interface KafkajsCluster {
  readonly connectionPoolBuilder: {
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
  readonly pool: readonly KafkajsConnection[]
  getConnection(index: number): Promise<KafkajsConnection>
}

export interface KafkajsConnection {
  readonly socket: Socket
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
