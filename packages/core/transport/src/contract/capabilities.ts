/** How well a broker carries a feature. */
export type CapabilityLevel = 'native' | 'emulated' | 'unsupported'

export interface Capability {
  readonly level: CapabilityLevel
  /** What can be relied on, in a sentence. */
  readonly guarantee?: string
  /** Bounds in the unit that the name says. */
  readonly limits?: Readonly<Record<string, number>>
  /** What it costs beyond a plain message. */
  readonly cost?: string
  /** The server version that brought it. */
  readonly since?: string
  /** With `unsupported`: what to use instead. */
  readonly alternative?: string
}

/** The features that brokers differ in. */
export type Feature =
  /** A confirmed message survives the end of the broker's process. */
  | 'durability'
  /**
   * `delayMs` when sending. Never early; late by at most `latenessMs` and `latenessShare` of the delay, together.
   * Limits: `maxMs`, `latenessMs`, `latenessShare` (from 0 to 1; 0.25 is a quarter of the delay).
   */
  | 'delayedSend'
  /** A delay before the next attempt, however long: where the broker's own is bounded, the driver hops. Limits: those of `delayedSend` but `maxMs`. */
  | 'delayedRetry'
  /** A release spends neither an attempt nor a counted delivery. */
  | 'uncountedRelease'
  /** A release with a delay spends neither. Where it is unsupported, single types cannot be paused: the whole source is. */
  | 'uncountedPostpone'
  /** Closing a consumer with unsettled deliveries does not count as one. */
  | 'uncountedClose'
  /**
   * The broker counts its hand-outs, so that crashes show. Emulated: what only waited beside a message that was handed out
   * may be counted, too.
   */
  | 'deliveryCount'
  /** Attempts are recorded apart from hand-outs. Emulated: crashes and releases spend them too. */
  | 'attemptCount'
  /** The highest goes first. Limits: `levels`; `lowerEvery`, where every so many-th may be a lower one all the same. */
  | 'priority'
  /**
   * Messages of one key in order, also with several consumers. Limits: `shards`, where a source is split into so many
   * parts, each read by one consumer at a time; without it consumers share a source message by message.
   */
  | 'keyOrder'
  /** With several consumers, each has its part of the keys, also after one has joined or left. Otherwise one may have all. */
  | 'keyBalance'
  /** A retrying key holds back its later messages, and a crash keeps the attempts spent. Limits: `maxHeld` per scope. */
  | 'holdKey'
  | 'expiry'
  /** Limits: `windowMs`. */
  | 'deduplication'
  /** A new group can start at the oldest message kept. */
  | 'fromEarliest'
  /** A new group can start at a moment in time. */
  | 'fromTime'
  /** Subscriptions that exist only while connected. */
  | 'ephemeral'
  /** Addressable queues of one instance. */
  | 'inbox'
  /** The broker itself filters by pattern; emulated: the driver filters what it gets. */
  | 'patternRouting'
  /** Queues that refuse beyond a bound. Limits: `overshoot`, how many may be taken beyond it besides those under way then. */
  | 'boundedQueues'
  /** The order and position of what is released in place is kept. */
  | 'releaseInPlace'
  /** Dead letters can be counted, and a pass can go on where another ended. */
  | 'deadLetterPass'

/** The lease under which deliveries are held. */
export interface LeaseCapability {
  /** `delivery`: each has its own, renewed while it is held. `session`: held as long as the scope lives. */
  readonly scope: 'delivery' | 'session'
  /** Milliseconds of one lease; with `session` the longest time from arrival to settlement (`maxHoldMs`), if any. */
  readonly durationMs: number | undefined
  /** How to have a longer one, where that can be: `raise …`. */
  readonly longer?: string
}

export interface BrokerLimits {
  /** Bytes of one encoded body. */
  readonly maxBodyBytes: number
  /** Bytes of all header names and values that the user gives one message; the envelope has its own room beside them. */
  readonly maxHeaderBytes: number
  /** Messages in one call of the driver's `publish`, and settlements in one of `settle`. */
  readonly maxBatch: number
  /** Bytes of bodies in one call of the driver's `publish`; a single message may be larger. */
  readonly maxBatchBytes: number
}

/** What the broker that one is connected to can do: data, read by users, start-up checks and the conformance suite. */
export interface Capabilities {
  readonly features: Readonly<Record<Feature, Capability>>
  readonly lease: LeaseCapability
  readonly limits: BrokerLimits
}
