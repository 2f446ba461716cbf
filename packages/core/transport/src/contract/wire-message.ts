/** User headers: string to string, without a prototype. */
export type MessageHeaders = Readonly<Record<string, string>>

/**
 * A message as drivers move it: the body encoded, everything else in fields. A driver puts each field into the
 * broker's native property where there is one, and the rest into headers (`writeEnvelope`), never into the body.
 * Every field is always there, so that all messages have one shape.
 */
export interface WireMessage {
  /** Identity; survives retry, dead letter and replay. */
  readonly id: string
  /**
   * The id was made up for a message of somebody else's that has none, nor a position that is the same on every hand-out.
   * Another hand-out of the original has another one, so it is no idempotency key, on copies neither.
   */
  readonly idMadeUp: boolean
  readonly type: string
  /** When it was made; epoch milliseconds. */
  readonly time: number
  readonly body: Uint8Array
  readonly contentType: string
  readonly headers: MessageHeaders
  /** Ordering key. */
  readonly key: string | undefined
  readonly routingKey: string
  readonly correlationId: string | undefined
  readonly causationId: string | undefined
  readonly replyTo: string | undefined
  /** Epoch milliseconds; never handed to a handler at or after it. Copies never reset it. */
  readonly expiresAt: number | undefined
  /** 0 (lowest) to 9; `undefined` is 4. */
  readonly priority: number | undefined
  /** Not to be handed out before; epoch milliseconds. */
  readonly notBefore: number | undefined
  /** 1 + the failures recorded so far. */
  readonly attempt: number
  /** Releases recorded so far, where the broker can record one. */
  readonly releases: number
  /** How often it was begun with nothing else in its process, and no outcome recorded since. */
  readonly trials: number
  /** How often it was replayed from the dead letters. */
  readonly replays: number
  /** Epoch milliseconds. */
  readonly firstFailedAt: number | undefined
  readonly lastFailedAt: number | undefined
  /** The last failure's `name: message`, cut to 256 characters. */
  readonly lastError: string | undefined
}
