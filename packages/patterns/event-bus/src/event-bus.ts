import type {
  ConsumeOptions,
  Consumer,
  Context,
  DurableSubscription,
  Message,
  OutgoingMessage,
  SendOptions,
} from '@posthorn/transport'
import type { MatchesSome, MatchingNames } from './matching-names.ts'

/** Events of one topic, typed by a map from event name to data: what publishers give, and what handlers get. */
export interface EventBus<Events extends object, Handled extends object = Events> {
  readonly topic: string
  /** Resolves when the broker has confirmed the event; that nobody subscribes to it is fine. */
  publish<Type extends EventName<Events>>(
    type: Type,
    data: Events[Type],
    options?: PublishOptions,
  ): Promise<void>
  /**
   * Publishes a batch. Where one event does not fit its schema, nothing is published; otherwise it rejects with a
   * `PartialPublishError` unless all are confirmed.
   */
  publishMany(events: readonly NewEvent<Events>[], options?: SendOptions): Promise<void>
  /**
   * Hands each matching event to the handler: once per group, whichever of its members gets it, or, with `ephemeral`,
   * at most once while connected. What is published after it resolves arrives. A handler that throws is retried for its
   * own group only.
   */
  subscribe<const Pattern extends string>(
    patterns:
      | (Pattern & MatchesSome<Pattern, EventName<Handled>>)
      | readonly (Pattern & MatchesSome<Pattern, EventName<Handled>>)[],
    handler: EventHandler<Handled, Pattern>,
    options: SubscribeOptions,
  ): Promise<Consumer>
}

export type EventName<Events> = keyof Events & string

/** What an event can have beside its data. */
export interface EventOptions extends Pick<
  OutgoingMessage,
  'correlationId' | 'delayMs' | 'expiresAt' | 'headers' | 'id' | 'key' | 'priority' | 'time'
> {}

export interface PublishOptions extends EventOptions, SendOptions {
  /** The context of the handler that publishes: its message becomes the cause, and each attempt publishes the same event. */
  readonly via?: Pick<Context, 'publish'>
}

/** One event of a batch. */
export type NewEvent<Events> = {
  readonly [Type in EventName<Events>]: EventOptions & { readonly type: Type; readonly data: Events[Type] }
}[EventName<Events>]

/** The union of the events that a pattern matches: a `switch` on `type` narrows `data`. */
export type MatchingEvent<Events, Pattern> = Pattern extends string
  ? EventOf<Events, MatchingNames<Pattern, EventName<Events>>>
  : never

type EventOf<Events, Type extends string> =
  Type extends EventName<Events> ? Message<Events[Type], Type> : never

export type EventHandler<Events, Pattern> = (
  event: MatchingEvent<Events, Pattern>,
  context: Context,
) => unknown

/** Who gets the events: a group, or whoever is connected. One of both has to be chosen. */
export type SubscribeOptions = GroupOptions | EphemeralOptions

interface UnknownEvents {
  /**
   * With schemas: what becomes of an event whose name has none, such as a newer publisher's. `dead-letter` keeps it for
   * this group, to be replayed after an upgrade; `ignore` acks it. Default `dead-letter`.
   */
  readonly unknownEvents?: 'dead-letter' | 'ignore'
}

export interface GroupOptions extends ConsumeOptions, Pick<DurableSubscription, 'from'>, UnknownEvents {
  /** Each group gets every matching event once; its members share them. It lives on when nobody is connected. */
  readonly group: string
  readonly ephemeral?: never
}

export interface EphemeralOptions
  extends
    Omit<ConsumeOptions, 'maxAttempts' | 'maxDeliveries' | 'retryDelay' | 'whileRetrying'>,
    UnknownEvents {
  /** Only while connected, and at most once: what fails or arrives during an interruption is gone. */
  readonly ephemeral: true
  readonly group?: never
}
