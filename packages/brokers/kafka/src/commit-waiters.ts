import type { SettleOutcome } from '@posthorn/transport/driver'

type Waiter = (outcome: SettleOutcome) => void

/** Who waits for a commit that has what they did. */
export class CommitWaiters {
  private waiting: Waiter[] = []
  private inFlight: Waiter[] = []

  add(): Promise<SettleOutcome> {
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  /** A commit has all that was done so far. */
  begin(): void {
    // A commit that failed is made again, with all that it had.
    this.inFlight.push(...this.waiting)
    this.waiting = []
  }

  /** That commit is with the broker, or is not. */
  end(outcome: SettleOutcome): void {
    const told = this.inFlight
    this.inFlight = []
    for (const waiter of told) waiter(outcome)
  }

  /** Nothing more is committed. */
  close(): void {
    this.begin()
    this.end('lost')
  }
}
