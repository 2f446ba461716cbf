import type { Clock } from '../contract/clock.ts'
import type { Destination, DriverConnection, PublishOutcome } from '../contract/driver.ts'
import { isPosthornError, withOutcome, type PosthornError } from '../errors.ts'
import type { Pending } from './pending.ts'
import { overdue, unanswered, unclear } from './publish-errors.ts'

export interface BatchesHost {
  readonly clock: Clock
  readonly broker: string
  /** Told once for each message, in the batch's order. An error has an outcome. */
  answered(pending: Pending, outcome: PublishOutcome): void
  /** Every message of a batch has been told. */
  done(): void
  /** The connection owes an answer that should have come long ago. */
  unresponsive(error: PosthornError): void
}

interface Batch {
  readonly entries: readonly Pending[]
  /** By which the driver must answer; epoch milliseconds. */
  readonly deadline: number
  open: boolean
  /** It has been found without an answer after its deadline. */
  late: boolean
}

/** A driver gets so much longer than its deadline: its timer may be heard after ours. */
const overdueGraceMs = 10_000

/** What has been handed to the driver and has no answer of it. Each message is answered once, whatever the driver does. */
export class Batches {
  private readonly host: BatchesHost
  private readonly open = new Set<Batch>()

  constructor(host: BatchesHost) {
    this.host = host
  }

  /** Hands them over in their order, in as many batches as the connection's limits make of them. */
  send(connection: DriverConnection, destination: Destination, waiting: readonly Pending[]): void {
    const { maxBatch, maxBatchBytes } = connection.capabilities.limits
    let entries: Pending[] = []
    let bytes = 0
    for (const pending of waiting) {
      const size = pending.wire.body.length
      if (entries.length === maxBatch || (bytes + size > maxBatchBytes && entries.length > 0)) {
        this.write(connection, destination, entries)
        entries = []
        bytes = 0
      }
      pending.written = true
      entries.push(pending)
      bytes += size
    }
    if (entries.length > 0) this.write(connection, destination, entries)
  }

  private write(connection: DriverConnection, destination: Destination, entries: readonly Pending[]): void {
    const wires = entries.map((pending) => pending.wire)
    const deadline = entries.reduce((latest, pending) => Math.max(latest, pending.deadline), 0)
    const batch: Batch = { entries, deadline, open: true, late: false }
    this.open.add(batch)
    let answer: Promise<readonly PublishOutcome[]>
    try {
      answer = connection.publish(destination, wires, deadline)
    } catch (error) {
      answer = Promise.reject(error as Error)
    }
    answer.then(
      (outcomes) => this.answer(batch, (_, index) => checked(outcomes?.[index], destination)),
      (error: unknown) => {
        const failure = unclear(destination, error ?? 'nothing')
        this.answer(batch, () => failure)
      },
    )
  }

  each(visit: (pending: Pending) => void): void {
    for (const { entries } of this.open) entries.forEach(visit)
  }

  /** Their connection is gone: they are unknown, unless the driver says better within this turn. */
  lost(error: PosthornError): void {
    if (this.open.size === 0) return
    const lost = [...this.open]
    this.host.clock.defer(() => this.end(error, lost))
  }

  /** Nobody waits for the driver any more. */
  end(error: PosthornError, batches: readonly Batch[] = [...this.open]): void {
    for (const batch of batches) this.answer(batch, (pending) => unanswered(this.host.broker, pending, error))
  }

  /** When to look again for answers that are overdue. Where one is found so twice, the connection is not worth waiting for. */
  checkOverdue(now: number): number {
    let next = Infinity
    for (const batch of this.open) {
      const dueAt = batch.deadline + overdueGraceMs
      next = Math.min(next, now < dueAt ? dueAt : now + overdueGraceMs)
      if (now < dueAt) continue
      const [first] = batch.entries
      // Once is not enough: this process may have been held up for so long.
      if (batch.late && first !== undefined)
        this.host.unresponsive(overdue(this.host.broker, first.destination))
      batch.late = true
    }
    return next
  }

  private answer(batch: Batch, outcomeOf: (pending: Pending, index: number) => PublishOutcome): void {
    if (!batch.open) return
    batch.open = false
    this.open.delete(batch)
    for (let index = 0; index < batch.entries.length; index++) {
      const pending = batch.entries[index] as Pending
      this.host.answered(pending, outcomeOf(pending, index))
    }
    this.host.done()
  }
}

function checked(outcome: PublishOutcome | undefined, destination: Destination): PublishOutcome {
  if (outcome === 'confirmed') return outcome
  if (!isPosthornError(outcome)) return unclear(destination, outcome)
  return outcome.outcome === undefined ? withOutcome(outcome, 'unknown') : outcome
}
