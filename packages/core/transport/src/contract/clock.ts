/** Time and randomness: the seam that lets a three-day delay be tested in a millisecond. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** At least 0, below 1. */
  random(): number
  /** Calls back once, not before `delayMs` milliseconds have passed, however many those are; answers how to cancel. */
  setTimer(callback: () => void, delayMs: number): () => void
  /** Calls back at the end of this turn of the event loop. */
  defer(callback: () => void): void
}
