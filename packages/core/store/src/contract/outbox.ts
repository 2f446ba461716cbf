/**
 * Messages that wait for a relay to send them: written together with what they tell of, sent at least once, removed when
 * the broker has confirmed.
 */
export interface Outbox {
  /** In this order. An id that is waiting already is left as it is, so an append whose answer was lost can be repeated. */
  append(messages: readonly OutboxMessage[]): Promise<void>
  /**
   * Takes messages that nobody has, about the oldest first, for the time of the lease: some if there are any, and no more
   * than `limit`. None is passed over for good because its
   * transaction was committed late. Messages of one key are given out in their order: to one relay at a time, and none
   * before those ahead of it are sent. Whoever cannot send one releases it together with those of its key behind it.
   */
  claim(query: OutboxQuery): Promise<OutboxBatch>
  /** Removes what the broker has confirmed, whoever has it by now. An id that is gone already is fine. */
  sent(ids: readonly string[]): Promise<void>
  /** Gives back what could not be sent, to be had again after `delayMs` (default 0). What another relay has by now stays its own. */
  release(request: OutboxRelease): Promise<void>
  depth(): Promise<OutboxDepth>
}

export interface OutboxMessage {
  /** 1 to 512 characters. */
  readonly id: string
  /** Any text, such as JSON. */
  readonly body: string
  /** Messages of one key keep their order. 1 to 512 characters. */
  readonly key?: string | undefined
}

export interface OutboxQuery {
  /** 1 to 1,000. */
  readonly limit: number
  readonly leaseMs: number
}

export interface OutboxBatch {
  /** Of this batch, for `release`. */
  readonly fence: number
  readonly messages: readonly ClaimedMessage[]
}

export interface ClaimedMessage extends OutboxMessage {
  /** How often it was claimed, this time included. */
  readonly claims: number
}

export interface OutboxRelease {
  readonly fence: number
  readonly ids: readonly string[]
  readonly delayMs?: number | undefined
}

export interface OutboxDepth {
  /** Claimed ones included. */
  readonly waiting: number
  /** Milliseconds since the oldest was appended; `undefined` when none waits. */
  readonly oldestMs: number | undefined
}
