import type { OutgoingMessage, SendOptions } from './message.ts'
import type { Settlement } from './settlement.ts'

/** The time for which a delivery is this consumer's. */
export interface Lease {
  /** True once it is known to be lost: what the handler does from then on may happen twice. */
  readonly lost: boolean
}

/** What a handler gets beside the message. */
export interface Context {
  /** 1 on the first attempt; 1 + the failures recorded with the message, whichever process they happened in. */
  readonly attempt: number
  /** The broker's hand-outs, this one included; also rises by crashes. */
  readonly deliveries: number
  /** When the first recorded failure was; epoch milliseconds. `undefined` on the first attempt, and where the broker keeps none. */
  readonly firstFailedAt: number | undefined
  /**
   * On a first attempt: when its sender wanted it handled, which is when it was made, with its delay; epoch milliseconds of the
   * sender's clock. `undefined` on later attempts and after a replay.
   */
  readonly dueAt: number | undefined
  /** The queue, or `<topic>/<group>`. */
  readonly source: string
  /** Aborts when the handler's time is over, the lease is lost or a shutdown's deadline has passed. */
  readonly signal: AbortSignal
  /** Stable over all attempts and replays; `undefined` for a foreign message without an identity. */
  readonly idempotencyKey: string | undefined
  readonly lease: Lease
  /** Spend this attempt and try again, after `delayMs` or what the retry policy says. Return its result. */
  retry(options?: { readonly delayMs?: number; readonly error?: unknown }): Settlement
  /** Give the message back without spending an attempt. Return its result. */
  release(options?: { readonly delayMs?: number }): Settlement
  /** Put the message among the dead letters now. Return its result. */
  deadLetter(options: { readonly reason: string; readonly error?: unknown }): Settlement
  /** `transport.send` with this message as the cause and an id that is the same on every attempt. */
  send<Data>(queue: string, message: OutgoingMessage<Data>, options?: SendOptions): Promise<void>
  /** `transport.publish` with this message as the cause and an id that is the same on every attempt. */
  publish<Data>(topic: string, message: OutgoingMessage<Data>, options?: SendOptions): Promise<void>
}
