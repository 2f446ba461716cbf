import type { Message } from '@posthorn/transport'
import type { WireMessage } from '@posthorn/transport/driver'

export interface Call {
  readonly process: string
  readonly id: string
  /** Which sending of this id it is. */
  readonly copy: string
  readonly attempt: number
  /** `undefined` in the inbox form. */
  readonly fence: number | undefined
}

/** What really happened in a run, seen from outside of what is tested. */
export class Journal {
  readonly calls: Call[] = []
  /** Of a copy: retries that the broker carried out. */
  readonly spent: Counts = new Counts()
  /** Of a copy: calls of its handler that threw. */
  readonly thrown: Counts = new Counts()
  /** Of an id: attempts that ran out of their time. */
  readonly timedOut: Counts = new Counts()
  /** Of a copy: failures that the breaker let pass, because it knew of its dependency's state. */
  readonly forgiven: Counts = new Counts()
  /** Of an id: deliveries that were taken from whoever handled them. */
  readonly lost: Counts = new Counts()
  /** Of an id: how often it was sent. */
  readonly sent: Counts = new Counts()
  /** What nobody had planned. */
  readonly surprises: string[] = []
  /** How often a breaker opened. */
  opened = 0

  /** What was handed out with an attempt that is not 1 + those spent. */
  readonly miscounted: string[] = []

  /** The broker hands something out, whenever its consumer looks at it. */
  handedOut(message: WireMessage): void {
    const copy = copyOf(message)
    const spent = this.spent.of(copy)
    if (message.attempt !== 1 + spent)
      this.miscounted.push(`${copy}: attempt ${message.attempt} after ${spent} recorded failures`)
  }

  called(message: Message, call: Pick<Call, 'process' | 'attempt' | 'fence'>): void {
    this.calls.push({ ...call, id: message.id, copy: copyOf(message) })
  }
}

/** Which sending of an id a message is. */
export function copyOf({ headers }: Pick<Message, 'headers'>): string {
  return headers['copy'] ?? ''
}

export class Counts {
  private readonly counts = new Map<string, number>()

  add(name: string): number {
    const count = this.of(name) + 1
    this.counts.set(name, count)
    return count
  }

  of(name: string): number {
    return this.counts.get(name) ?? 0
  }

  [Symbol.iterator](): Iterator<[string, number]> {
    return this.counts[Symbol.iterator]()
  }
}
