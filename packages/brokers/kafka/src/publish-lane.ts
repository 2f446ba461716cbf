import type { PublishLine } from './publish-line.ts'

/** Milliseconds until a leader that was not reached, or did not answer, is tried again with what may go elsewhere. */
const awayMs = 1_000

/** Where requests to one leader wait for each other. */
export class PublishLane {
  readonly node: number
  /** Lines that have something to write. */
  readonly ready: Set<PublishLine> = new Set()
  isSending = false
  isScheduled = false
  /** Whether the leader owes an answer for long. */
  isStalled = false
  private awayUntil = 0

  constructor(node: number) {
    this.node = node
  }

  /** Whether it is worth while to give it what may go elsewhere. */
  isThere(now: number): boolean {
    return !this.isStalled && this.awayUntil <= now
  }

  answered(): void {
    this.awayUntil = 0
  }

  failed(now: number): void {
    this.awayUntil = now + awayMs
  }
}
