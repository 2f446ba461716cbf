import type { Capabilities } from './capabilities.ts'
import type { Clock } from './clock.ts'
import type { Context } from './context.ts'
import type { SettleVerb } from './driver.ts'
import type { EmitEvent } from './events.ts'
import type { Message, OutgoingMessage, SendOptions } from './message.ts'
import type { Settlement } from './settlement.ts'

/** Handles one message; what it returns is an ack unless it is a `Settlement`; a throw spends the attempt. */
export type Handler<Data = unknown, Type extends string = string> = (
  message: Message<Data, Type>,
  context: Context,
) => unknown

/**
 * Handles several messages at once. Returning an array as long as the batch answers per item: a `Settlement` there
 * counts for its message, anything else is an ack. A throw spends an attempt of each.
 */
export type BatchHandler<Data = unknown, Type extends string = string> = (
  messages: readonly Message<Data, Type>[],
  context: BatchContext,
) => unknown

export interface BatchContext {
  readonly source: string
  /** Aborts when any of its messages' signals does. */
  readonly signal: AbortSignal
  /** Of each message, in order; its `retry`, `release` and `deadLetter` make the answers per item. */
  readonly contexts: readonly Context[]
}

/** The stages in which middleware runs, from the outside to the handler. */
export type MiddlewarePhase = 'observe' | 'retry' | 'guard' | 'once'

/** What comes after a middleware. Handlers that return no promise make it answer at once. */
export type Next = (message: Message, context: Context) => Settlement | Promise<Settlement>

/**
 * Wraps the handling of each message of one consumer. It never settles: it returns what `next` returned, another
 * settlement, or throws. A context of its own making comes from `Object.create(context)`. Sorted by `phase`, so that a wrong order cannot be built; of phase `retry` there is one at most.
 */
export interface Middleware {
  readonly name: string
  readonly phase: MiddlewarePhase
  readonly facts?: MiddlewareFacts
  wrap(next: Next, runtime: MiddlewareRuntime): Next
}

/** What a middleware says of itself, for the runner and for start-up checks. Milliseconds. */
export interface MiddlewareFacts {
  /** Of phase `retry`: the attempts after which the runner dead-letters. */
  readonly maxAttempts?: number
  /** Of phase `retry`: from the first attempt to the last at most, of waiting alone. */
  readonly retrySpanMs?: number
  /** Of phase `retry`: how long after a message was dead-lettered it may be replayed. */
  readonly replayHorizonMs?: number
  /** Of phase `retry`: what it makes of a failure that does not come through the chain, such as the end of a handler's time. */
  readonly decide?: (
    error: unknown,
    message: Message,
    context: Context,
    runtime: Pick<MiddlewareRuntime, 'source' | 'clock' | 'emit'>,
  ) => Settlement
  /** How long a repeated message is recognised. */
  readonly deduplicationWindowMs?: number
  /** Needs each message to be settled by itself, so it cannot stand before a batch handler. */
  readonly transactional?: boolean
}

/** A message on its way out of a handler. */
export interface HandlerOutput {
  readonly kind: 'send' | 'publish'
  readonly destination: string
  readonly message: OutgoingMessage
  readonly options: SendOptions | undefined
}

/**
 * A settlement goes to the driver. `hold`: the attempt is recorded, and the delivery kept for the next one. What it returns is
 * called with the answer: `sent` where the broker gives none; `lost` where the delivery was not ours any more, or another
 * settlement came to stand in place of this one.
 */
export type SettlementBegins = (verb: SettleVerb) => SettlementEnds

export type SettlementEnds = (outcome: 'confirmed' | 'sent' | 'lost') => void

/** What a middleware can know and do about the consumer that it is part of. */
export interface MiddlewareRuntime {
  readonly source: string
  readonly clock: Clock
  readonly capabilities: Capabilities
  readonly emit: EmitEvent
  /** Stops handing out messages of these types, or all; nothing is lost and no attempt spent. Counted: as many `resume`s. */
  pause(types?: readonly string[]): void
  resume(types?: readonly string[]): void
  /**
   * At most so many further handlers start until the next call; `Infinity` at first. Credit follows, so that little is taken
   * that cannot start. For rates and for trial runs.
   */
  allow(starts: number): void
  /**
   * Calls `begins` when this attempt's settlement goes to the driver, and what that returns once it is answered. What is tried
   * again is still the same settlement. Costs nothing where it is not called.
   */
  onSettle(context: Context, begins: SettlementBegins): void
  /** Takes over where this attempt's `context.send` and `context.publish` go. */
  redirect(context: Context, to: (output: HandlerOutput) => Promise<void>): void
  /** Called once when the consumer has stopped. */
  onClose(callback: () => void | Promise<void>): void
}

/** Several messages on their way to one destination. */
export interface PublishBatch {
  readonly kind: 'send' | 'publish'
  readonly destination: string
  readonly messages: readonly OutgoingMessage[]
  readonly options: SendOptions | undefined
}

/** Wraps every send and publish of a transport; a single one is a batch of one. */
export interface PublishMiddleware {
  readonly name: string
  readonly phase: 'observe' | 'guard'
  wrap(next: (batch: PublishBatch) => Promise<void>, clock: Clock): (batch: PublishBatch) => Promise<void>
}
