/** What to do about the broker's own objects: make what is missing, only look, or neither. */
export type DeclareMode = 'create' | 'check' | 'none'

export interface QueueDeclaration {
  readonly name: string
  /** Where its dead letters go, and nobody else's. Default `<name>.dlq`. */
  readonly deadLetterQueue?: string
  /** A message with the id of one sent within this window is confirmed and not stored again. Default: none. */
  readonly deduplicationWindowMs?: number
  /** A full queue rejects. Default: no bound. */
  readonly maxMessages?: number
  /** Bytes of bodies; a full queue rejects. Default: no bound. */
  readonly maxBytes?: number
  /**
   * `key` where it will be consumed with `order: 'key'`: some brokers must know when the queue is made. Default: what the
   * first consumer asks for, else `none`.
   */
  readonly order?: 'none' | 'key'
  /** With `order: 'key'`: how many consumers can share the keys, where the broker needs to know. Default 1. */
  readonly shards?: number
  /** Arguments in the broker's own words, for its own driver. */
  readonly native?: Readonly<Record<string, unknown>>
}

export interface TopicDeclaration {
  readonly name: string
  readonly native?: Readonly<Record<string, unknown>>
}

export interface SubscriptionDeclaration {
  readonly topic: string
  readonly group: string
  /** AMQP patterns: `*` one word, `#` none or more. Default `#`. */
  readonly patterns?: readonly string[]
  /** Where a group that does not exist yet starts. Default: now. */
  readonly from?: 'earliest' | Date
  /** Where its dead letters go, and nobody else's. Default `<topic>/<group>.dlq`. */
  readonly deadLetterQueue?: string
  readonly maxMessages?: number
  readonly maxBytes?: number
  /** As of a queue. */
  readonly order?: 'none' | 'key'
  readonly shards?: number
  readonly native?: Readonly<Record<string, unknown>>
}

export interface Topology {
  readonly queues?: readonly QueueDeclaration[]
  readonly topics?: readonly TopicDeclaration[]
  readonly subscriptions?: readonly SubscriptionDeclaration[]
}

/** One object on the broker, and how it differs from what is wanted. */
export interface PlanItem {
  readonly kind: 'queue' | 'topic' | 'subscription'
  /** Which of the objects that make it up on this broker. */
  readonly part: 'main' | 'retry' | 'deadLetters' | 'group'
  /** The logical name; `<topic>/<group>` for a subscription. */
  readonly name: string
  /** Its name on the broker. */
  readonly nativeName: string
  readonly action: 'create' | 'none' | 'mismatch'
  /** False: the broker names only some differences, or does not list the patterns of a group. */
  readonly complete: boolean
  readonly differences: readonly {
    readonly argument: string
    readonly wanted: unknown
    readonly found: unknown
  }[]
}
