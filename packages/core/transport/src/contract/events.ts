import type { PosthornError } from '../errors.ts'
import type { ConnectionState } from './health.ts'
import type { SettleVerb } from './driver.ts'

/** A message that an event is about. Its data is left out: events may be logged. */
export interface MessageRef {
  readonly id: string
  readonly type: string
  readonly source: string
}

/** What no handler sees, by name. */
export interface TransportEvents {
  /** The connection's state changed. */
  readonly connection: { readonly state: ConnectionState; readonly error: PosthornError | undefined }
  /** A message was sent to a queue that takes none. */
  readonly returned: { readonly destination: string; readonly id: string; readonly type: string }
  /** A settlement did not reach the broker; told once for each try, and it is tried again while the delivery is ours. */
  readonly settlementFailed: MessageRef & { readonly verb: SettleVerb; readonly error: PosthornError }
  /** A delivery stopped being ours while it was handled or settled; it may be handled twice. */
  readonly leaseLost: MessageRef & { readonly error: PosthornError }
  /** A message reached its `expiresAt` and was removed without being handled. */
  readonly expired: MessageRef & { readonly expiresAt: number; readonly attempt: number }
  /** A body or envelope could not be read; the message went to the dead letters. */
  readonly decodeFailed: MessageRef & { readonly error: PosthornError }
  /** A handler failed; the message comes again after `delayMs`. */
  readonly retried: MessageRef & {
    readonly attempt: number
    readonly delayMs: number
    readonly error: unknown
  }
  readonly deadLettered: MessageRef & {
    readonly reason: string
    readonly attempts: number
    readonly error: unknown
  }
  /** A dead letter could not be stored; the message stays at its source. */
  readonly deadLetterFailed: MessageRef & { readonly error: PosthornError }
  /** A handler ran out of its time; its slot stays taken until it ends. */
  readonly handlerTimedOut: MessageRef & { readonly timeoutMs: number }
  /** The handler of an at-most-once delivery failed; the message is gone. */
  readonly handlerFailed: MessageRef & { readonly error: unknown }
  /** Handed out again and again without an outcome; from now on it runs alone in its process. */
  readonly suspect: MessageRef & { readonly deliveries: number }
  /**
   * A consumer was paused or resumed; `types` is `undefined` for all. With `scope` by its driver, that part of the source
   * only, and it goes on by itself.
   */
  readonly paused: {
    readonly source: string
    readonly scope?: string
    readonly types: readonly string[] | undefined
    readonly reason: string
  }
  readonly resumed: {
    readonly source: string
    readonly scope?: string
    readonly types: readonly string[] | undefined
  }
  /** Credit, a source that is not empty, and nothing comes. */
  readonly stalled: { readonly source: string; readonly idleMs: number; readonly ready: number }
  /** A consumer was set up anew. */
  readonly rebuilt: { readonly source: string; readonly reason: string }
  /** Messages of a log were gone before they were read. */
  readonly gap: { readonly source: string; readonly scope: string; readonly missing: number | undefined }
  /** A listener or callback of the user's threw. */
  readonly callbackFailed: { readonly where: string; readonly error: unknown }
}

/** Tells whoever listens. */
export type EmitEvent = <Name extends keyof TransportEvents>(name: Name, event: TransportEvents[Name]) => void
