import type { Clock } from '../contract/clock.ts'
import type { Destination, DriverConnection, PublishOutcome } from '../contract/driver.ts'
import type { TransportEvents } from '../contract/events.ts'
import type { WireMessage } from '../contract/wire-message.ts'
import { isPosthornError, PosthornError, toPosthornError, withOutcome } from '../errors.ts'
import { InFlightBound, type InFlightLimits } from './in-flight-bound.ts'
import { Pending, type Caller } from './pending.ts'

export interface PublisherHost {
  readonly clock: Clock
  readonly broker: string
  /** The live connection that takes messages; `undefined` while there is none or it is blocked. */
  connection(): DriverConnection | undefined
  /** Why there is none, for the error of a send that ran out of time. */
  reason(): string
  /** Declares the destination before its first use; answers a promise only when there is something to do. */
  ensure(destination: Destination): Promise<void> | undefined
  /** The destination turned out to be gone; true when it can be declared again. */
  forget(destination: Destination): boolean
  emit<Name extends keyof TransportEvents>(name: Name, event: TransportEvents[Name]): void
}

interface Line {
  readonly destination: Destination
  queued: Pending[]
  /** Its declaration is under way. */
  declaring: boolean
  dirty: boolean
}

interface Batch {
  readonly entries: readonly Pending[]
  open: boolean
}

/**
 * Everything on its way out. Sends of the same turn of the event loop travel together, a batch for each destination;
 * what is in flight is bounded, and every send ends within its time.
 */
export class Publisher {
  private readonly host: PublisherHost
  private readonly bound: InFlightBound
  private readonly lines: Readonly<Record<Destination['kind'], Map<string, Line>>> = {
    queue: new Map(),
    topic: new Map(),
    inbox: new Map(),
  }
  private readonly batches = new Set<Batch>()
  private readonly dirty: Line[] = []
  private readonly idle: (() => void)[] = []
  private scheduled = false
  private cancelTimer: (() => void) | undefined
  private timerAt = Infinity

  constructor(host: PublisherHost, limits: InFlightLimits) {
    this.host = host
    this.bound = new InFlightBound(limits)
  }

  /** Messages that have been taken and have no answer from the broker yet. */
  get inFlight(): number {
    return this.bound.count + this.bound.waiters
  }

  add(
    destination: Destination,
    wire: WireMessage,
    caller: Caller,
    index: number,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): void {
    const deadline = this.host.clock.now() + timeoutMs
    const pending = new Pending(destination, wire, caller, index, deadline)
    const entry = this.bound.enter(pending)
    if (entry === 'full') {
      pending.answer(
        new PosthornError(
          'POSTHORN_BACKPRESSURE',
          `${this.bound.count} messages (${this.bound.bytes} bytes) are in flight to ${this.host.broker} and ` +
            `${this.bound.waiters} wait; "${destination.name}" takes no more for now. Await earlier sends, or raise maxInFlight.`,
          { phase: 'publish', retryable: true, outcome: 'rejected' },
        ),
      )
      return
    }
    if (signal !== undefined) this.watch(pending, signal)
    this.arm(deadline)
    if (entry === 'in') this.queue(pending)
  }

  private queue(pending: Pending): void {
    const line = this.line(pending.destination)
    line.queued.push(pending)
    this.mark(line)
  }

  private line(destination: Destination): Line {
    const lines = this.lines[destination.kind]
    let line = lines.get(destination.name)
    if (line === undefined) {
      line = { destination, queued: [], declaring: false, dirty: false }
      lines.set(destination.name, line)
    }
    return line
  }

  private everyLine(): Line[] {
    return [...this.lines.queue.values(), ...this.lines.topic.values(), ...this.lines.inbox.values()]
  }

  private mark(line: Line): void {
    if (line.dirty) return
    line.dirty = true
    this.dirty.push(line)
    if (this.scheduled) return
    this.scheduled = true
    this.host.clock.defer(this.flush)
  }

  /** Hands over all that waits; the transport calls it when a connection comes up or is unblocked. */
  readonly wake = (): void => {
    for (const line of this.everyLine()) if (line.queued.length > 0) this.mark(line)
  }

  private readonly flush = (): void => {
    this.scheduled = false
    for (const line of this.dirty.splice(0)) {
      line.dirty = false
      this.write(line)
    }
  }

  private write(line: Line): void {
    const connection = this.host.connection()
    if (connection === undefined || line.declaring || line.queued.length === 0) return
    const declaring = this.host.ensure(line.destination)
    if (declaring !== undefined) {
      line.declaring = true
      declaring.then(
        () => {
          line.declaring = false
          this.mark(line)
        },
        (error: unknown) => {
          line.declaring = false
          this.declareFailed(line, toPosthornError(error, 'POSTHORN_BROKER_ERROR', { phase: 'declare' }))
        },
      )
      return
    }
    const { maxBatch, maxBatchBytes } = connection.capabilities.limits
    let entries: Pending[] = []
    let bytes = 0
    for (const pending of line.queued) {
      const size = pending.wire.body.length
      if (entries.length === maxBatch || (bytes + size > maxBatchBytes && entries.length > 0)) {
        this.send(connection, line.destination, entries)
        entries = []
        bytes = 0
      }
      pending.written = true
      entries.push(pending)
      bytes += size
    }
    line.queued = []
    if (entries.length > 0) this.send(connection, line.destination, entries)
    // A line is kept only while something is on it, so that destinations of the past leave nothing behind.
    this.lines[line.destination.kind].delete(line.destination.name)
  }

  private send(connection: DriverConnection, destination: Destination, entries: readonly Pending[]): void {
    const batch: Batch = { entries, open: true }
    this.batches.add(batch)
    let answer: Promise<readonly PublishOutcome[]>
    try {
      answer = connection.publish(
        destination,
        entries.map((pending) => pending.wire),
        entries.reduce((latest, pending) => Math.max(latest, pending.deadline), 0),
      )
    } catch (error) {
      answer = Promise.reject(error as Error)
    }
    answer.then(
      (outcomes) => this.answered(batch, (index) => outcomes[index] ?? unclear(destination, undefined)),
      (error: unknown) => {
        const failure = unclear(destination, error)
        this.answered(batch, () => failure)
      },
    )
  }

  private answered(batch: Batch, outcomeOf: (index: number) => PublishOutcome): void {
    if (!batch.open) return
    batch.open = false
    this.batches.delete(batch)
    for (let index = 0; index < batch.entries.length; index++) {
      const pending = batch.entries[index] as Pending
      const outcome = outcomeOf(index)
      if (outcome === 'confirmed') pending.answer(outcome)
      else if (this.repairs(pending, outcome)) continue
      else pending.answer(outcome.outcome === undefined ? withOutcome(outcome, 'unknown') : outcome)
      this.bound.leave(pending)
    }
    this.refill()
  }

  /** A queue that was there and is gone is declared again and its message sent once more: a refused one is surely not there. */
  private repairs(pending: Pending, error: PosthornError): boolean {
    const missing = error.code === 'POSTHORN_UNROUTABLE' || error.code === 'POSTHORN_TOPOLOGY_MISSING'
    if (!missing || error.outcome !== 'rejected') return false
    const { destination, wire } = pending
    if (!pending.answered && !pending.repaired && this.host.forget(destination)) {
      pending.repaired = true
      pending.written = false
      this.queue(pending)
      return true
    }
    if (error.code === 'POSTHORN_UNROUTABLE') {
      this.host.emit('returned', { destination: destination.name, id: wire.id, type: wire.type })
    }
    return false
  }

  private refill(): void {
    for (let pending = this.bound.next(); pending !== undefined; pending = this.bound.next()) this.queue(pending)
    if (this.bound.count === 0 && this.idle.length > 0) for (const resolve of this.idle.splice(0)) resolve()
  }

  private declareFailed(line: Line, error: PosthornError): void {
    // What may pass is tried again until the sends run out of time; anything else is their answer.
    if (error.retryable) {
      this.host.clock.setTimer(() => this.mark(line), retryDeclareMs)
      return
    }
    this.rejectQueued(line, withOutcome(error, 'rejected'))
  }

  private rejectQueued(line: Line, error: PosthornError): void {
    for (const pending of line.queued.splice(0)) {
      pending.answer(error)
      this.bound.leave(pending)
    }
    this.refill()
  }

  /** The connection is gone: what was handed to it and not answered is unknown. */
  connectionLost(error: PosthornError): void {
    const unknown = withOutcome(
      new PosthornError(
        'POSTHORN_CONNECTION_LOST',
        `The connection to ${this.host.broker} was lost before it answered (${error.message}). ` +
          'The message may be there: send it again with the same id.',
        { phase: 'publish', retryable: true, cause: error },
      ),
      'unknown',
    )
    for (const batch of [...this.batches]) this.answered(batch, () => unknown)
  }

  /** Nothing will ever be written again: whatever waits is refused. */
  fail(error: PosthornError): void {
    this.connectionLost(error)
    const rejected = withOutcome(error, 'rejected')
    this.bound.each((pending) => pending.answer(rejected))
    for (const line of this.everyLine()) this.rejectQueued(line, rejected)
  }

  /** Resolves when nothing is in flight, or at the deadline; answers how many are left. */
  async drain(deadlineMs: number): Promise<number> {
    if (this.inFlight === 0) return 0
    await new Promise<void>((resolve) => {
      const cancel = this.host.clock.setTimer(resolve, Math.max(0, deadlineMs))
      this.idle.push(() => {
        cancel()
        resolve()
      })
    })
    return this.inFlight
  }

  stop(): void {
    this.cancelTimer?.()
    this.timerAt = -Infinity
  }

  private watch(pending: Pending, signal: AbortSignal): void {
    const abort = (): void => {
      this.giveUp(pending, 'POSTHORN_ABORTED', 'was aborted')
      this.dropAnswered()
    }
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    pending.forget = () => signal.removeEventListener('abort', abort)
  }

  private giveUp(pending: Pending, code: 'POSTHORN_ABORTED' | 'POSTHORN_TIMEOUT', what: string): void {
    if (pending.answered) return
    const { destination, written } = pending
    const state = written
      ? `after it was written, so it may be there: send it again with the same id (${pending.wire.id}).`
      : `before it was written${this.host.reason()}; it is not there.`
    pending.answer(
      new PosthornError(code, `Sending to "${destination.name}" ${what} ${state}`, {
        phase: 'publish',
        retryable: code === 'POSTHORN_TIMEOUT',
        outcome: written ? 'unknown' : 'rejected',
      }),
    )
  }

  /** Takes off its line what was given up before it was written. */
  private dropAnswered(): void {
    for (const line of this.everyLine()) {
      const dropped = line.queued.filter((pending) => pending.answered)
      if (dropped.length === 0) continue
      line.queued = line.queued.filter((pending) => !pending.answered)
      for (const pending of dropped) this.bound.leave(pending)
    }
    this.refill()
  }

  private arm(at: number): void {
    if (at >= this.timerAt) return
    this.cancelTimer?.()
    this.timerAt = at
    this.cancelTimer = this.host.clock.setTimer(() => this.expire(), Math.max(0, at - this.host.clock.now()))
  }

  private expire(): void {
    this.timerAt = Infinity
    this.cancelTimer = undefined
    const now = this.host.clock.now()
    let next = Infinity
    const late: Pending[] = []
    const look = (pending: Pending): void => {
      if (pending.answered) return
      if (pending.deadline <= now) late.push(pending)
      else next = Math.min(next, pending.deadline)
    }
    for (const batch of this.batches) batch.entries.forEach(look)
    for (const line of this.everyLine()) line.queued.forEach(look)
    this.bound.each(look)
    for (const pending of late) this.giveUp(pending, 'POSTHORN_TIMEOUT', 'ran out of time')
    if (late.length > 0) this.dropAnswered()
    if (next !== Infinity) this.arm(next)
  }
}

const retryDeclareMs = 250

function unclear(destination: Destination, cause: unknown): PosthornError {
  const error = cause === undefined || !isPosthornError(cause) ? undefined : cause
  return new PosthornError(
    error?.code ?? 'POSTHORN_DEFECT',
    `What became of a message to "${destination.name}" is not known` +
      `${error === undefined ? '' : ` (${error.message})`}. Send it again with the same id.`,
    { phase: 'publish', retryable: true, outcome: 'unknown', cause },
  )
}
