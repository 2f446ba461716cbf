import { publishTimeout } from './errors.ts'
import type { PosthornError, PublishOutcome, WireMessage } from '@posthorn/transport/driver'

/** One message on its way to an exchange. */
export interface Outgoing {
  readonly routingKey: string
  readonly message: WireMessage
  /** Headers of the driver's own. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Messages that were given together, and what has become of each. */
export class PublishBatch {
  readonly items: readonly Outgoing[]
  /** Epoch milliseconds. */
  readonly deadline: number
  readonly done: Promise<readonly PublishOutcome[]>
  /** Among those of its lane. */
  serial = 0
  /** How many have been written. */
  written = 0
  private readonly outcomes: (PublishOutcome | undefined)[]
  private left: number
  private resolve: (outcomes: readonly PublishOutcome[]) => void = () => undefined

  constructor(items: readonly Outgoing[], deadline: number) {
    this.items = items
    this.deadline = deadline
    this.left = items.length
    this.outcomes = Array.from<PublishOutcome | undefined>({ length: items.length })
    this.done = new Promise((resolve) => {
      this.resolve = resolve
    })
    if (items.length === 0) this.resolve([])
  }

  get isDone(): boolean {
    return this.left === 0
  }

  /** The first answer for a message counts. */
  answer(index: number, outcome: PublishOutcome): void {
    if (this.outcomes[index] !== undefined) return
    this.outcomes[index] = outcome
    this.left -= 1
    if (this.left === 0) this.resolve(this.outcomes as PublishOutcome[])
  }

  /** Nothing more of it is written. */
  refuseRest(error: PosthornError): void {
    for (let index = this.written; index < this.items.length; index += 1) this.answer(index, error)
    this.written = this.items.length
  }

  /** Its time is over. */
  expire(): void {
    if (this.written < this.items.length) this.refuseRest(publishTimeout('rejected'))
    if (this.isDone) return
    const late = publishTimeout('unknown')
    for (let index = 0; index < this.items.length; index += 1) this.answer(index, late)
  }
}
