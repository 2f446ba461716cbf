import type { ConsumerHealth } from './health.ts'

/** A running consumer. */
export interface Consumer extends AsyncDisposable {
  /** The queue, or `<topic>/<group>`. */
  readonly source: string
  readonly concurrency: number
  /** Changes how many handlers run at a time, at once; those running end as they would have. */
  setConcurrency(concurrency: number): void
  /** Starts no further handler, or none for these types, until `resume`. Spends no attempt. */
  pause(options?: PauseOptions): void
  /** Without types it lifts all that was paused here; what middleware paused stays paused. */
  resume(options?: PauseOptions): void
  health(): ConsumerHealth
  /**
   * Takes no more, gives back what has not begun, lets handlers end until the deadline, then aborts their signals and
   * gives their messages back uncounted. Never rejects; a second call answers the same.
   */
  stop(options?: StopOptions): Promise<StopReport>
}

export interface PauseOptions {
  /** Message types; all when left out. */
  readonly types?: readonly string[]
}

export interface StopOptions {
  /** Milliseconds that handlers have to end. Default 30,000. Giving back those that have not takes up to 6,000 more. */
  readonly deadlineMs?: number
}

export interface StopReport {
  readonly source: string
  /** Deliveries given back before they had begun. */
  readonly released: number
  /** Messages whose handlers had not ended at the deadline. */
  readonly unfinished: readonly { readonly id: string; readonly type: string }[]
}

/** An ephemeral queue of this instance that others can send to. */
export interface Inbox extends AsyncDisposable {
  /** What `replyTo` names; a new one after the connection was lost. */
  readonly address: string
  close(): Promise<void>
}
