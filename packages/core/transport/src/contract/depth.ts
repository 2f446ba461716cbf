/** What waits at a source. A field is `undefined` where the broker cannot say. */
export interface Depth {
  /** Messages that could be handed out now. */
  readonly ready: number | undefined
  /** Messages waiting for their time: delayed, or between two attempts. */
  readonly delayed: number | undefined
  /** Handed out and not settled. */
  readonly inFlight: number | undefined
  readonly deadLettered: number | undefined
  /** Milliseconds since the oldest ready message was made. */
  readonly oldestAgeMs: number | undefined
  /** Messages in the log behind the group's position; logs only. */
  readonly lag: number | undefined
}
