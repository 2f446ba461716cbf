import type { Capabilities } from './capabilities.ts'
import type { Clock } from './clock.ts'
import type { DeadLetterRecord } from './dead-letters.ts'
import type { Depth } from './depth.ts'
import type { EmitEvent } from './events.ts'
import type { DeclareMode, PlanItem, Topology } from './topology.ts'
import type { WireMessage } from './wire-message.ts'
import type { PosthornError } from '../errors.ts'

/**
 * What a broker package implements. A driver moves batches of bytes, reports what became of each
 * message, and settles; codec, middleware, concurrency, lanes, leases' renewal, expiry, retry policy,
 * dead-letter records, drain, reconnecting and the clock belong to the transport.
 *
 * One `DriverConnection` is one generation: when it is lost, everything that it handed out is void, and
 * the transport connects anew, declares again what it had declared and consumes again. So a delivery of
 * a dead connection cannot be settled on a new one by construction.
 */
export interface Driver<Native = unknown> {
  readonly specificationVersion: 'v1'
  /** The broker's name in errors and health: `memory`, `rabbitmq`. */
  readonly name: string
  /**
   * Connects, logs in, and probes the server's version. Rejects with a `PosthornError`; one that is not
   * `retryable` (wrong password, missing virtual host) ends the transport's attempts. Must end when
   * `host.signal` aborts.
   */
  connect(host: DriverHost): Promise<DriverConnection<Native>>
}

/** What the transport gives to a driver. */
export interface DriverHost {
  /** All time and randomness of a driver comes from here. */
  readonly clock: Clock
  /** Prefix of every name on the broker, or an empty string. */
  readonly namespace: string
  /** Aborts when connecting is given up. */
  readonly signal: AbortSignal
  /** Tells users of what no handler sees, such as a gap in a log. */
  readonly emit: EmitEvent
  /**
   * The session is gone, not merely a socket that the client restores; call it once. Every scope, consumer and pass of it
   * is void, and nothing of this connection may call the transport again: sinks hear nothing more. Whether the error is
   * `retryable` does not matter here: only `connect` can end the tries.
   */
  lost(error: PosthornError): void
  /** The broker is not reached for now (a reason) while the session may survive, or is reached again (`undefined`). */
  unreachable(reason: string | undefined): void
  /** The broker takes no messages for now (a reason), or takes them again (`undefined`). */
  blocked(reason: string | undefined): void
}

export type Destination =
  | { readonly kind: 'queue'; readonly name: string; readonly shards: number }
  | { readonly kind: 'topic'; readonly name: string }
  | { readonly kind: 'inbox'; readonly name: string }

/**
 * What a consumer reads. Its dead letters go to `deadLetterQueue`, a queue of its own. All that a driver needs to know of
 * a declaration is here too, since in mode `none` it never sees one.
 */
export type Source =
  | {
      readonly kind: 'queue'
      readonly name: string
      readonly deadLetterQueue: string
      readonly shards: number
    }
  | {
      readonly kind: 'subscription'
      readonly topic: string
      readonly group: string
      readonly patterns: readonly string[]
      readonly deadLetterQueue: string
      readonly shards: number
    }
  | { readonly kind: 'ephemeral'; readonly topic: string; readonly patterns: readonly string[] }
  | { readonly kind: 'inbox'; readonly name: string }

/** `confirmed`, or the error whose `outcome` is `rejected` (it is not there) or `unknown` (it may be). */
export type PublishOutcome = 'confirmed' | PosthornError

/**
 * `confirmed`: the broker said so. `sent`: handed to the client, and this broker never answers (an AMQP ack); if the
 * connection dies first, it is handed out again. `lost`: the delivery was no longer ours; a copy that the verb made may
 * exist, with the same id. An error: it failed, the delivery is still ours.
 */
export type SettleOutcome = 'confirmed' | 'sent' | 'lost' | PosthornError

export interface DriverConnection<Native = unknown> {
  /** The server's version, where it tells. */
  readonly version: string | undefined
  /** What this server can do, probed. */
  readonly capabilities: Capabilities
  /** The client underneath. */
  readonly native: Native

  /**
   * Makes the topology as it should be, with all that delaying, retrying and dead-lettering need. `create` makes what is
   * missing, `check` makes nothing; in both, what exists
   * and differs rejects with `POSTHORN_TOPOLOGY_MISMATCH`, naming the argument, and in `check` what is missing rejects
   * with `POSTHORN_TOPOLOGY_MISSING`. Repeating a declaration is harmless. Resolves when all of it can be used. A group
   * reads from the moment at which it was first declared; where the broker has forgotten its position since, it goes on
   * at the oldest message kept and emits a `gap`, never silently at the end.
   */
  declare(topology: Topology, mode: Exclude<DeclareMode, 'none'>): Promise<void>
  /** What `create` would do, changing nothing. */
  plan(topology: Topology): Promise<readonly PlanItem[]>

  /**
   * Sends a batch to one destination; answers per message, in the batch's order, when the broker has confirmed or
   * refused each, and by `deadline` (epoch milliseconds): what has not been written by then is `rejected` and never
   * written, what was written without an answer is `unknown`. Messages of one key to one destination are written in the
   * order of the calls; those without a key where the destination has one line. A `queue` refuses what no queue takes
   * (`POSTHORN_UNROUTABLE`), an `inbox` too unless its capability says that it cannot; a topic without subscribers
   * confirms. A topic answers `rejected` only if no group can have the message: a refusal by some groups is `unknown`. One
   * that does not exist is `POSTHORN_TOPOLOGY_MISSING`, `rejected`, and harms no other message. Rejecting as a whole is a defect of the driver, and counts as `unknown` for each. The batch keeps
   * `capabilities.limits.maxBatch` and `maxBatchBytes`.
   */
  publish(
    destination: Destination,
    batch: readonly WireMessage[],
    deadline: number,
  ): Promise<readonly PublishOutcome[]>

  /**
   * Starts to read what `declare` has made; `POSTHORN_TOPOLOGY_MISSING` otherwise. Resolves when the reading position is
   * fixed, so that a message published from now on would arrive at this source's consumers, whether or not a scope is
   * ours yet. The sink is not called before the turn after that.
   */
  consume(source: Source, request: ConsumeRequest, sink: DeliverySink): Promise<DriverConsumer>

  /** How many dead letters the source has. May have to read them all. */
  countDeadLetters(source: Source): Promise<number>
  /**
   * Opens the one pass over a source's dead letters that may exist at a time, up to a snapshot of their end;
   * `POSTHORN_DEAD_LETTERS_BUSY` while another holds it. A crashed holder loses it within a bounded time.
   * `cursor` is what an earlier pass's `close` returned: a hint; a driver without one begins at the start. May have to
   * read them all.
   */
  openDeadLetters(source: Source, cursor: string | undefined): Promise<DeadLetterPass>

  /** What the broker can say at once; unknown fields are `undefined`. */
  depth(source: Source): Promise<Depth>

  /** Ends it, also after `lost`, once. Unsettled deliveries go back uncounted where the broker can. Never rejects. */
  close(): Promise<void>
}

export interface ConsumeRequest {
  /**
   * With `key`, no two consumers may hold messages of one key at a time, and each key comes in order, but for what `retry`
   * or a delayed `release` hands out again.
   */
  readonly order: 'none' | 'key'
  /**
   * How many deliveries may be held at once, over all scopes; each scope may hold at least one. Each scope's share comes
   * with `assigned` and `window`.
   */
  readonly prefetch: number
  /** Bytes that the driver itself may hold undelivered. */
  readonly prefetchBytes: number
  /**
   * No handler runs longer than this, in milliseconds. A driver makes the deadline of its `revoke`, and the broker's
   * tolerance of a slow consumer, longer where it can.
   */
  readonly handlerTimeoutMs: number
}

/**
 * What a driver can take back as one: a Kafka partition, a session, a key shard, a channel generation.
 * Compared by identity; `name` is for people.
 */
export interface Scope {
  readonly name: string
}

/**
 * One hand-out of one message. Of the driver's own making: its fields stay as they are until it is settled, but for
 * `token`, which only the driver reads and which a `hold` may change.
 */
export interface Delivery {
  readonly scope: Scope
  /** The driver's own. */
  readonly token: unknown
  readonly message: WireMessage
  /**
   * The broker's hand-outs of this message including this one; 1 where it does not count. Crashes and failures count. So
   * do the releases that `message.releases` records, which are taken off again; others, and closes, only where
   * `uncountedRelease` and `uncountedClose` are unsupported.
   */
  readonly deliveries: number
  /** Why the envelope cannot be trusted (a forged attempt, an unknown version); it is dead-lettered at once. */
  readonly invalid: string | undefined
}

/** How the runner hears of deliveries. Calls return at once, but for `revoke`. */
export interface DeliverySink {
  /**
   * A scope is ours; answers how many of its deliveries may be unsettled at a time until `window` says otherwise. At the
   * latest before the scope's first delivery: where the broker does not tell, then.
   */
  assigned(scope: Scope): number
  /** In the scope's order. Never beyond its window, and never within a call of `window`, which may come within this one. */
  deliver(scope: Scope, deliveries: readonly Delivery[]): void
  /**
   * The driver is about to give the scope up. (Some brokers never ask; there only `lost` comes.) Resolves when everything of it has been settled or abandoned, at the
   * latest after `deadlineMs`; settle and renew work until then, and answer `lost` afterwards. From the call on nothing
   * more of it is delivered, and `window` is without effect. `lost` may come meanwhile, and ends it. A scope that comes
   * back is a new object.
   */
  revoke(scope: Scope, deadlineMs: number): Promise<void>
  /** The scope is gone already: told as soon as the driver knows, never replaced by a `revoke`. */
  lost(scope: Scope, error: PosthornError): void
  /**
   * The consumer as a whole is dead while its connection lives: the queue was deleted, the channel closed. Its scopes are
   * lost with it. The transport declares and consumes again, with growing waits, unless the error is not `retryable`.
   */
  ended(error: PosthornError): void
}

export interface DriverConsumer {
  /**
   * `fixed`: changing a window is dear here, so the runner gives each scope a constant share, and asks for another only
   * when it starts, pauses or is told to by the user.
   */
  readonly flow: 'dynamic' | 'fixed'
  /**
   * From now on at most `size` deliveries of the scope may be unsettled; 0 stops its intake. A delivery counts until its
   * `settle` has resolved with `confirmed`, `sent` or `lost`. What was asked of the broker under an older window may still
   * arrive at the driver, which keeps it back.
   */
  window(scope: Scope, size: number): void
  /**
   * Settles deliveries of one scope, `capabilities.limits.maxBatch` at most, in the order of the items; answers per item.
   * Of one delivery, one verb is under way at a time. Never rejects. May take as long as the scope is ours: a driver waits
   * out a reconnection or a rebalance, and answers `lost` only when the broker has said so, or after `revoke` or `lost`.
   * After an error the delivery is still ours and the same verb may be tried again; a copy that was confirmed is not
   * written a second time.
   */
  settle(scope: Scope, items: readonly SettleItem[]): Promise<readonly SettleOutcome[]>
  /** Renews the leases of deliveries, where they have their own; answers per delivery, in order. Never rejects. */
  renew(scope: Scope, deliveries: readonly Delivery[]): Promise<readonly SettleOutcome[]>
  /**
   * How many messages wait that could be handed out here: of the scopes that it has, where the source is split into parts.
   * `undefined` where the broker cannot say.
   */
  ready(): Promise<number | undefined>
  /**
   * Ends the reading: writes what it answered `sent` for, then gives back what is unsettled, in order, uncounted where the
   * broker can. With `order: 'key'` nobody else gets a later message of the scope before that. Never rejects.
   */
  close(): Promise<void>
}

/**
 * - `ack`: done with.
 * - `retry`: hand it out again to this source only, as `message` (its attempt raised), not before `delayMs`. Where the
 *   feature `attemptCount` is emulated, as it was, and the next delivery's `message.attempt` comes from the broker's count.
 * - `release`: the same without a spent attempt. With `delayMs` 0 in place: ahead of what has not been
 *   handed out, in the order of the items, for whoever may take it. The runner releases in the order of delivery.
 * - `hold`: record `message.attempt` and, as far as there is room, the other fields of `message`, as the state to hand out
 *   after a crash (in place, at once, whatever its `notBefore`: the runner waits for that). The delivery stays ours, and
 *   counts. Answers `confirmed`, `lost` or an error, never `sent`; later verbs settle the held state. Where the feature
 *   `holdKey` is unsupported, nothing is recorded and the answer is `confirmed`.
 * - `deadLetter`: store `message` with `record`, confirmed, then remove it from the source.
 */
export type SettleVerb = 'ack' | 'retry' | 'release' | 'hold' | 'deadLetter'

export interface SettleItem {
  readonly delivery: Delivery
  readonly verb: SettleVerb
  /** Milliseconds; 0 unless `retry` or `release`. */
  readonly delayMs: number
  /** The message as it is to be kept. The delivery's own for `ack`. */
  readonly message: WireMessage
  /** With `deadLetter` only. */
  readonly record: DeadLetterRecord | undefined
}

export interface DeadLetterPass {
  /** Entries up to the snapshot's end, where the broker knows. */
  readonly total: number | undefined
  /**
   * The next entries, at most `max`, possibly fewer; none only at the snapshot's end. The entries of the page before have
   * been decided on, or are kept. An entry may be there twice under one id after a crash. Rejects with
   * `POSTHORN_DEAD_LETTERS_LOST` when the pass is not ours any more.
   */
  read(max: number): Promise<readonly DeadLetterEntry[]>
  /**
   * Carries decisions out; answers per item, in order. Replays are written in the order of the items, each confirmed
   * before its entry goes; the rest in any order.
   */
  decide(items: readonly DeadLetterDecision[]): Promise<readonly SettleOutcome[]>
  /** Gives the pass back; undecided entries are kept. Answers where a next pass can go on, if it has not reached the end. */
  close(): Promise<string | undefined>
}

export interface DeadLetterEntry {
  /** Unique within the source's dead letters, and stable while it is kept. */
  readonly entryId: string
  readonly token: unknown
  readonly message: WireMessage
  readonly record: DeadLetterRecord
}

export interface DeadLetterDecision {
  readonly entry: DeadLetterEntry
  readonly decision: 'keep' | 'replay' | 'discard'
  /** What a replay puts back to the source. The entry's own otherwise. */
  readonly message: WireMessage
}
