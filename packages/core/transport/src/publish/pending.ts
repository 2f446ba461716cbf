import type { Destination } from '../contract/driver.ts'
import type { WireMessage } from '../contract/wire-message.ts'
import type { PosthornError } from '../errors.ts'

/** Who waits for the outcomes of one send, or of one batch of them. */
export interface Caller {
  done(index: number, outcome: 'confirmed' | PosthornError): void
}

/** One message between its caller and the broker's answer. */
export class Pending {
  readonly destination: Destination
  readonly wire: WireMessage
  readonly caller: Caller
  readonly index: number
  /** Epoch milliseconds. */
  readonly deadline: number
  /** Handed to the driver: from here on, giving up makes its outcome unknown. */
  written = false
  /** Its caller has been answered; the broker may still owe its answer. */
  answered = false
  /** Sent once more after its queue turned out to be gone. */
  repaired = false
  /** Stops listening to the caller's signal. */
  forget: (() => void) | undefined = undefined

  constructor(destination: Destination, wire: WireMessage, caller: Caller, index: number, deadline: number) {
    this.destination = destination
    this.wire = wire
    this.caller = caller
    this.index = index
    this.deadline = deadline
  }

  answer(outcome: 'confirmed' | PosthornError): void {
    if (this.answered) return
    this.answered = true
    this.forget?.()
    this.caller.done(this.index, outcome)
  }
}

/** The caller of a single send. */
export class SingleCaller implements Caller {
  private readonly resolve: () => void
  private readonly reject: (error: PosthornError) => void

  constructor(resolve: () => void, reject: (error: PosthornError) => void) {
    this.resolve = resolve
    this.reject = reject
  }

  done(_index: number, outcome: 'confirmed' | PosthornError): void {
    if (outcome === 'confirmed') this.resolve()
    else this.reject(outcome)
  }
}

/** The caller of a batch: answers once, when every message has its outcome. */
export class BatchCaller implements Caller {
  private readonly outcomes: ('confirmed' | PosthornError)[]
  private readonly complete: (outcomes: readonly ('confirmed' | PosthornError)[]) => void
  private open: number

  constructor(size: number, complete: (outcomes: readonly ('confirmed' | PosthornError)[]) => void) {
    this.outcomes = new Array<'confirmed' | PosthornError>(size).fill('confirmed')
    this.open = size
    this.complete = complete
  }

  done(index: number, outcome: 'confirmed' | PosthornError): void {
    if (outcome !== 'confirmed') this.outcomes[index] = outcome
    if (--this.open === 0) this.complete(this.outcomes)
  }
}
