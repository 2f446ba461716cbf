import type { PosthornError } from '../errors.ts'

/** `blocked`: connected, and the broker takes no messages for now. */
export type ConnectionState = 'connecting' | 'up' | 'blocked' | 'down' | 'closed'

export interface ConsumerHealth {
  readonly source: string
  /** `down`: it cannot work (its handlers hang, or it could not be set up). */
  readonly state: 'up' | 'paused' | 'starting' | 'down' | 'stopped'
  readonly reason: string | undefined
  /** Handlers running, abandoned ones included. */
  readonly running: number
  /** Handlers that ran out of their time and have not ended. */
  readonly abandoned: number
  /** Deliveries held and not yet begun. */
  readonly waiting: number
}

export interface Health {
  readonly broker: string
  readonly version: string | undefined
  /** The connection's state; `down` also when a consumer is. */
  readonly state: ConnectionState
  /** Epoch milliseconds. */
  readonly since: number
  readonly reason: string | undefined
  readonly error: PosthornError | undefined
  /** Messages sent and neither confirmed nor refused yet. */
  readonly publishing: number
  readonly consumers: readonly ConsumerHealth[]
}
