import type { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'

/**
 * What is used of `@platformatic/kafka`: the module itself, or `{ Connection, Writer }` of it. Told here, so that who uses
 * another client need not have its types.
 */
export interface PlatformaticKafka {
  readonly Connection: new (clientId: string, options: PlatformaticOptions) => PlatformaticConnection
  readonly Writer: { create(): PlatformaticWriter }
}

export interface PlatformaticOptions {
  connectTimeout?: number
  requestTimeout?: number
  maxInflights?: number
  tls?: ConnectionOptions
  tlsServerName?: string | boolean
  sasl?: {
    mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
    username: string
    password: string
  }
}

export interface PlatformaticWriter {
  append(bytes: Buffer): PlatformaticWriter
}

export interface PlatformaticReader {
  readonly buffer: { readonly buffer: Buffer }
}

export interface PlatformaticError extends Error {
  readonly code?: string
  /** What a node has answered. */
  readonly errors?: readonly (Error & { readonly serverErrorMessage?: string | null })[]
}

export interface PlatformaticConnection {
  on(event: 'error', listener: (error: Error) => void): unknown
  once(event: 'connect', listener: () => void): unknown
  off(event: 'connect', listener: () => void): unknown
  readonly socket: Socket
  readonly status: string
  connect(host: string, port: number, callback: (error?: Error | null) => void): unknown
  close(callback: () => void): void
  send<Answer>(
    apiKey: number,
    apiVersion: number,
    /** Answers a writer of the library's own; what is declared here has only a part of it. */
    createPayload: () => never,
    responseParser: (
      correlationId: number,
      apiKey: number,
      apiVersion: number,
      reader: PlatformaticReader,
    ) => Answer,
    hasRequestHeaderTaggedFields: boolean,
    hasResponseHeaderTaggedFields: boolean,
    callback: (error: Error | null, answer?: Answer) => void,
  ): void
}
