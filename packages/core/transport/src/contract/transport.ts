import type { Capabilities } from './capabilities.ts'
import type { BatchConsumeOptions, ConsumeOptions, SubscriptionOptions } from './consume-options.ts'
import type { Consumer, Inbox, StopReport } from './consumer.ts'
import type { Clock } from './clock.ts'
import type { DeadLetters } from './dead-letter-tools.ts'
import type { Depth } from './depth.ts'
import type { TransportEvents } from './events.ts'
import type { Health } from './health.ts'
import type { Message, OutgoingMessage, SendOptions } from './message.ts'
import type { BatchHandler, Handler } from './middleware.ts'
import type { DeclareMode, PlanItem, Topology } from './topology.ts'
import type { PosthornError } from '../errors.ts'

/**
 * A queue's name, or a topic's group; `'<topic>/<group>'` is the same as `{ topic, group }`. `deadLetterQueue` only where
 * it was declared with another than the default, and not by this transport.
 */
export type SourceRef =
  | string
  | { readonly queue: string; readonly deadLetterQueue?: string }
  | { readonly topic: string; readonly group: string; readonly deadLetterQueue?: string }

/**
 * What users and patterns hold: one broker, whichever it is.
 *
 * Bad input is refused before anything is sent, with nothing lost. Sends of the same turn of the event loop travel
 * together. After `close`, everything rejects with `POSTHORN_CLOSED`.
 */
export interface Transport<Native = unknown> extends AsyncDisposable {
  /**
   * Sends to one queue. Resolves when the broker has confirmed that it holds the message; rejects with an `outcome`:
   * `rejected`, it is not there, or `unknown`, it may be, so send again with the same id. Always ends within its
   * timeout.
   */
  send<Data>(queue: string, message: OutgoingMessage<Data>, options?: SendOptions): Promise<void>
  /**
   * Sends a batch of any size, piece by piece where it is larger than what may be in flight; rejects with a
   * `PartialPublishError` unless all are confirmed.
   */
  sendMany<Data>(
    queue: string,
    messages: readonly OutgoingMessage<Data>[],
    options?: SendOptions,
  ): Promise<void>
  /** Publishes to every subscription of the topic that matches; that there is none is fine. Otherwise as `send`. */
  publish<Data>(topic: string, message: OutgoingMessage<Data>, options?: SendOptions): Promise<void>
  publishMany<Data>(
    topic: string,
    messages: readonly OutgoingMessage<Data>[],
    options?: SendOptions,
  ): Promise<void>

  /** Hands each message of the queue to `handler`, sharing them with the queue's other consumers. At least once. */
  consume<Data = unknown>(
    queue: string,
    handler: BatchHandler<Data>,
    options: BatchConsumeOptions,
  ): Promise<Consumer>
  consume<Data = unknown>(queue: string, handler: Handler<Data>, options?: ConsumeOptions): Promise<Consumer>
  /** Hands the matching messages of the topic to `handler`. A message published after it resolves arrives. */
  subscribe<Data = unknown>(
    topic: string,
    handler: BatchHandler<Data>,
    options: SubscriptionOptions & BatchConsumeOptions,
  ): Promise<Consumer>
  subscribe<Data = unknown>(
    topic: string,
    handler: Handler<Data>,
    options: SubscriptionOptions & ConsumeOptions,
  ): Promise<Consumer>
  /** Opens a queue of this instance's own. At most once. `onLost` says that it, and what was in it, is gone. */
  inbox<Data = unknown>(
    handler: (message: Message<Data>) => unknown,
    options?: { readonly onLost?: (error: PosthornError) => void },
  ): Promise<Inbox>

  /**
   * Makes, or checks, queues, topics and subscriptions ahead of their use; what was declared in a mode stays in it. Default
   * mode: the transport's. Rejects with `POSTHORN_TIMEOUT` after `sendTimeoutMs`, as `plan` and `depth` do.
   */
  declare(topology: Topology, options?: { readonly mode?: DeclareMode }): Promise<void>
  /** What `declare` would create and what differs, as data; changes nothing. */
  plan(topology: Topology): Promise<readonly PlanItem[]>
  deadLetters(source: SourceRef): DeadLetters
  depth(source: SourceRef): Promise<Depth>

  readonly broker: string
  /** What this broker, in the version connected to, can do. */
  readonly capabilities: Capabilities
  readonly clock: Clock
  /** The client underneath. Another one after a reconnection. */
  readonly native: Native
  health(): Health
  /** Calls `listener` at each event; answers how to stop that. */
  on<Name extends keyof TransportEvents>(
    name: Name,
    listener: (event: TransportEvents[Name]) => void,
  ): () => void

  /**
   * Stops all consumers as `Consumer.stop` does, waits for the confirmations of what was sent, and disconnects. Never
   * rejects; a second call answers the same.
   */
  close(options?: CloseOptions): Promise<CloseReport>
  /**
   * Closes on SIGTERM or SIGINT, then ends the process with code 0, or with 1 when something was left, once all transports
   * that were asked to are closed; a second signal ends it at once. Answers how to undo it.
   */
  closeOnSignals(options?: CloseOnSignalsOptions): () => void
}

export interface CloseOptions {
  /**
   * Milliseconds that handlers and confirmations have to end. Default 30,000. Where some have not, telling them and giving
   * their messages back takes up to 6,000 more.
   */
  readonly deadlineMs?: number
}

export interface CloseOnSignalsOptions extends CloseOptions {
  /** Called with what was left, before the process ends. */
  readonly onClosed?: (report: CloseReport) => void
}

export interface CloseReport {
  readonly consumers: readonly StopReport[]
  /** Sends that had no answer at the deadline: unknown where they were written, else rejected. */
  readonly unconfirmed: number
  /** True when nothing was left behind. */
  readonly clean: boolean
}
