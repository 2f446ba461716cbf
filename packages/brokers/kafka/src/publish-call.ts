import type { NewRecord } from './protocol/record.ts'
import type { PosthornError, PublishOutcome } from '@posthorn/transport/driver'

/** One batch that somebody waits for. */
export class PublishCall {
  readonly deadline: number
  readonly done: Promise<readonly PublishOutcome[]>
  private readonly outcomes: (PublishOutcome | undefined)[]
  private left: number
  private resolve: (outcomes: readonly PublishOutcome[]) => void = () => undefined

  /** What is told when the topic does not exist. */
  readonly missing: () => PosthornError

  constructor(size: number, deadline: number, missing: () => PosthornError) {
    this.deadline = deadline
    this.missing = missing
    this.outcomes = new Array<PublishOutcome | undefined>(size)
    this.left = size
    this.done = new Promise((resolve) => {
      this.resolve = resolve
    })
  }

  get isOpen(): boolean {
    return this.left > 0
  }

  /** The first outcome of each counts. */
  answer(indexes: readonly number[], outcome: PublishOutcome): void {
    for (const index of indexes) {
      if (this.outcomes[index] !== undefined) continue
      this.outcomes[index] = outcome
      this.left -= 1
    }
    if (this.left === 0) this.resolve(this.outcomes as readonly PublishOutcome[])
  }
}

/** What of a call goes to one partition. */
export interface Portion {
  readonly call: PublishCall
  readonly records: readonly NewRecord[]
  /** Of each record in the call. */
  readonly indexes: readonly number[]
  /** Whether they may go to any partition. */
  readonly isFree: boolean
  /** Bytes, roughly. */
  readonly size: number
  /** Why it has not been written so far. */
  problem: PosthornError | undefined
}
