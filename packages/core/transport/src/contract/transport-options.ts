import type { Clock } from './clock.ts'
import type { Codec } from './codec.ts'
import type { PublishMiddleware } from './middleware.ts'
import type { DeclareMode } from './topology.ts'

/** What every broker's factory takes beside its own options. */
export interface TransportOptions {
  /** Prefix of all names on the broker, 1 to 20 of `[A-Za-z0-9._-]`. Default: none. */
  readonly namespace?: string
  /** What the first use of a queue, topic or group does about it. Default `create`. */
  readonly topology?: DeclareMode
  /** Default: JSON, and `Uint8Array` as it is. */
  readonly codec?: Codec
  /** Milliseconds within which every send and publish ends. Default 30,000. */
  readonly sendTimeoutMs?: number
  /** Messages sent and not yet confirmed, at most. Default 10,000. */
  readonly maxInFlight?: number
  /** Their encoded bytes, at most. Default 67,108,864 (64 MiB). */
  readonly maxInFlightBytes?: number
  /** Past those bounds: wait (as many, and as many bytes, again may wait, then it rejects), or reject at once. Default `wait`. */
  readonly whenFull?: 'wait' | 'reject'
  /** Middleware around every send and publish. */
  readonly publishUse?: readonly PublishMiddleware[]
  /** How often to try to connect again before giving up. Default: for ever. */
  readonly maxReconnects?: number
  /** Milliseconds for the first connection, all tries together. Default 30,000. */
  readonly connectTimeoutMs?: number
  /** Milliseconds without a delivery, with credit and a source that is not empty, that count as a stall. Default 60,000. */
  readonly stallMs?: number
  /** Time and randomness. Default: the system's. */
  readonly clock?: Clock
}
