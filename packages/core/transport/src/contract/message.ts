import type { MessageHeaders } from './wire-message.ts'

/** A message as a handler gets it. Its parts are copies: changing them changes neither the next attempt nor a dead letter. */
export interface Message<Data = unknown, Type extends string = string> {
  /** Identity: the same on every attempt and after a replay. UUID v7 unless the sender gave one. */
  readonly id: string
  readonly type: Type
  readonly data: Data
  /** When it was made; epoch milliseconds. */
  readonly time: number
  readonly headers: MessageHeaders
  /** Messages of one key are in order, for a consumer with `order: 'key'`. */
  readonly key: string | undefined
  /** What a topic's patterns are matched against. */
  readonly routingKey: string
  readonly correlationId: string | undefined
  /** The id of the message whose handler sent this one. */
  readonly causationId: string | undefined
  /** The address of an inbox that waits for an answer. */
  readonly replyTo: string | undefined
  /** Epoch milliseconds. */
  readonly expiresAt: number | undefined
  readonly priority: number | undefined
  /** How often it was replayed from the dead letters. */
  readonly replays: number
}

/** A message to send. Everything about it is here; call options hold only `timeoutMs` and `signal`. */
export interface OutgoingMessage<Data = unknown, Type extends string = string> {
  /** JSON-shaped, or a `Uint8Array`, which travels as it is. */
  readonly data: Data
  /** Default: a new UUID v7. Give your own to be able to send again after an unknown outcome. 1 to 128 visible ASCII characters. */
  readonly id?: string
  /** Dot-separated words, such as `order.created`; 1 to 255 bytes, no control characters. Default: the queue's or topic's name. */
  readonly type?: Type
  /** Default: now. */
  readonly time?: number | Date
  /** Strings to strings; names must not start with `posthorn-`. */
  readonly headers?: Readonly<Record<string, string>>
  /** Ordering key, 1 to 255 characters. */
  readonly key?: string
  /** Default: `type`. At most 255 bytes. */
  readonly routingKey?: string
  /** 1 to 255 bytes. */
  readonly correlationId?: string
  /** 1 to 255 bytes. */
  readonly causationId?: string
  /** The `address` of an inbox. */
  readonly replyTo?: string
  /** Never handed to a handler at or after this time, on any attempt. */
  readonly expiresAt?: number | Date
  /** 0 (lowest) to 9. Default 4. */
  readonly priority?: number
  /** Handed out no earlier than after this many milliseconds. */
  readonly delayMs?: number
}

/** How long to wait for the broker's confirmation. */
export interface SendOptions {
  /** Milliseconds. Default: the transport's `sendTimeoutMs`. */
  readonly timeoutMs?: number | undefined
  /** Aborting before the message is written rejects it; afterwards its outcome is `unknown`. */
  readonly signal?: AbortSignal | undefined
}
