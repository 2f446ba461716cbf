import { connectionLost, publishTimeout } from './errors.ts'
import { store } from './publishing.ts'
import type { BrokerParts } from './parts.ts'
import type { Destination, PublishOutcome } from '../contract/driver.ts'
import type { WireMessage } from '../contract/wire-message.ts'
import type { PosthornError } from '../errors.ts'

interface Waiting {
  readonly destination: Destination
  readonly batch: readonly WireMessage[]
  readonly answer: (outcomes: readonly PublishOutcome[]) => void
  /** It is on the broker, which does not look at it for now. */
  readonly isWritten: boolean
  cancel: () => void
}

/** Where a connection's batches wait while the broker takes none. */
export class PublishGate {
  /** Between the connection and the broker. */
  isReachable = true
  private readonly parts: BrokerParts
  private readonly namespace: string
  private waiting: Waiting[] = []

  constructor(parts: BrokerParts, namespace: string) {
    this.parts = parts
    this.namespace = namespace
  }

  write(
    destination: Destination,
    batch: readonly WireMessage[],
    deadline: number,
  ): Promise<readonly PublishOutcome[]> {
    const { faults, clock } = this.parts
    if (this.isOpen) return Promise.resolve(store(this.parts, this.namespace, destination, batch))
    return new Promise((answer) => {
      const isWritten = this.isReachable && faults.blocked === undefined
      const waiting: Waiting = { destination, batch, answer, isWritten, cancel: () => {} }
      waiting.cancel = clock.setTimer(() => this.expire(waiting), deadline - clock.now())
      this.waiting.push(waiting)
    })
  }

  /** Writes what waited, if the way is free. */
  resume(): void {
    if (!this.isOpen) return
    const { waiting } = this
    this.waiting = []
    for (const { destination, batch, answer, cancel } of waiting) {
      cancel()
      answer(store(this.parts, this.namespace, destination, batch))
    }
  }

  /** Nothing will be written any more. */
  close(reason: string): void {
    const { waiting } = this
    this.waiting = []
    for (const one of waiting) {
      one.cancel()
      this.answer(one, connectionLost(reason, one.isWritten ? 'unknown' : 'rejected'))
    }
  }

  private get isOpen(): boolean {
    const { faults } = this.parts
    return this.isReachable && !faults.frozen && faults.blocked === undefined
  }

  private expire(waiting: Waiting): void {
    // What is written is stored when the broker looks at it, though nobody waits any more.
    if (!waiting.isWritten) this.waiting = this.waiting.filter((one) => one !== waiting)
    this.answer(waiting, publishTimeout(waiting.isWritten ? 'unknown' : 'rejected'))
  }

  private answer({ batch, answer }: Waiting, error: PosthornError): void {
    answer(batch.map(() => error))
  }
}
