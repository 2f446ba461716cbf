import type { Clock } from '../contract/clock.ts'
import type { Destination, DriverConnection, PublishOutcome } from '../contract/driver.ts'
import type { EmitEvent } from '../contract/events.ts'
import type { WireMessage } from '../contract/wire-message.ts'
import { withOutcome, type PosthornError } from '../errors.ts'
import { AbortWatch } from './abort-watch.ts'
import { Alarm } from './alarm.ts'
import { Batches } from './batches.ts'
import { InFlightBound, type InFlightLimits } from './in-flight-bound.ts'
import { LineDeclarer } from './line-declarer.ts'
import { Lines, type Line } from './lines.ts'
import { OpenSends } from './open-sends.ts'
import { Pending, type Caller } from './pending.ts'
import { aborted, backpressure, timedOut } from './publish-errors.ts'

export interface PublisherHost {
  readonly clock: Clock
  readonly broker: string
  /** The live connection that takes messages; `undefined` while there is none or it is blocked. */
  connection(): DriverConnection | undefined
  /** Why there is none, for the error of a send that ran out of time. */
  reason(): string
  /** Declares the destination before its first use; answers a promise only when there is something to do. */
  ensure(destination: Destination): Promise<void> | undefined
  /** The destination turned out to be gone; true when using it again declares it. */
  forget(destination: Destination): boolean
  /** The connection owes an answer that should have come long ago. */
  unresponsive(error: PosthornError): void
  readonly emit: EmitEvent
}

/**
 * Everything on its way out. Sends of the same turn of the event loop travel together, a batch for each destination;
 * what is in flight is bounded, and every send ends within its time.
 */
export class Publisher {
  private readonly host: PublisherHost
  private readonly bound: InFlightBound
  private readonly lines = new Lines()
  private readonly batches: Batches
  private readonly declarer: LineDeclarer
  private readonly alarm: Alarm
  private readonly signals = new AbortWatch((pending, reason) => this.aborted(pending, reason))
  private readonly open: OpenSends
  private dirty: Line[] = []
  private scheduled = false
  private sweeping = false

  constructor(host: PublisherHost, limits: InFlightLimits) {
    this.host = host
    this.bound = new InFlightBound(limits)
    this.open = new OpenSends(host.clock)
    this.alarm = new Alarm(host.clock, () => this.expire())
    this.declarer = new LineDeclarer({
      clock: host.clock,
      ready: (line) => this.mark(line),
      refused: (line, error) => this.rejectAll(line, error),
    })
    this.batches = new Batches({
      clock: host.clock,
      broker: host.broker,
      answered: (pending, outcome) => this.answered(pending, outcome),
      done: () => this.refill(),
      unresponsive: (error) => host.unresponsive(error),
    })
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
    if (signal?.aborted === true) return pending.answer(aborted(pending, '', signal.reason))
    const entry = this.bound.enter(pending)
    if (entry === 'full') return pending.answer(backpressure(this.host.broker, destination, this.bound))
    this.open.begun()
    if (signal !== undefined) this.signals.add(pending, signal)
    this.alarm.set(deadline)
    if (entry === 'in') this.queue(pending)
  }

  private queue(pending: Pending): void {
    const line = this.lines.open(pending.destination)
    line.queued.push(pending)
    this.mark(line)
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
  wake(): void {
    for (const line of this.lines.all()) {
      this.declarer.hurry(line)
      this.mark(line)
    }
  }

  private readonly flush = (): void => {
    this.scheduled = false
    if (this.sweeping) this.sweep()
    const { dirty } = this
    this.dirty = []
    for (const line of dirty) {
      line.dirty = false
      this.write(line)
    }
  }

  private write(line: Line): void {
    if (line.empty) return this.lines.close(line)
    const connection = this.host.connection()
    if (connection === undefined || line.declaring) return
    const declaring = this.host.ensure(line.destination)
    if (declaring !== undefined) return this.declarer.wait(line, declaring)
    const waiting = line.take()
    this.lines.close(line)
    this.batches.send(connection, line.destination, waiting)
  }

  private answered(pending: Pending, outcome: PublishOutcome): void {
    if (outcome !== 'confirmed' && this.repairs(pending, outcome)) return
    this.answer(pending, outcome)
    this.bound.leave(pending)
  }

  private answer(pending: Pending, outcome: 'confirmed' | PosthornError): void {
    if (pending.answered) return
    pending.answer(outcome)
    this.open.ended()
  }

  /** A queue that was there and is gone is declared again and its message sent once more: a refused one is surely not there. */
  private repairs(pending: Pending, error: PosthornError): boolean {
    const missing = error.code === 'POSTHORN_UNROUTABLE' || error.code === 'POSTHORN_TOPOLOGY_MISSING'
    if (!missing || error.outcome !== 'rejected') return false
    const { destination, wire } = pending
    if (!pending.answered && !pending.repaired && this.host.forget(destination)) {
      pending.repaired = true
      pending.written = false
      const line = this.lines.open(destination)
      line.repaired.push(pending)
      this.mark(line)
      return true
    }
    if (error.code === 'POSTHORN_UNROUTABLE') {
      this.host.emit('returned', { destination: destination.name, id: wire.id, type: wire.type })
    }
    return false
  }

  private refill(): void {
    for (let pending = this.bound.next(); pending !== undefined; pending = this.bound.next())
      this.queue(pending)
  }

  private rejectAll(line: Line, error: PosthornError): void {
    const waiting = line.take()
    this.lines.close(line)
    for (const pending of waiting) {
      this.answer(pending, error)
      this.bound.leave(pending)
    }
    this.refill()
  }

  /** The connection is gone: what was handed to it and not answered is unknown, unless the driver knows better by now. */
  connectionLost(error: PosthornError): void {
    this.batches.lost(error)
  }

  /** Nothing will ever be written again: whatever waits is refused. */
  fail(error: PosthornError): void {
    this.batches.end(error)
    const rejected = withOutcome(error, 'rejected')
    this.bound.each((pending) => this.answer(pending, rejected))
    for (const line of this.lines.all()) this.rejectAll(line, rejected)
  }

  /** Resolves when every send has its answer, or after `limitMs`; answers how many have none. */
  drain(limitMs: number): Promise<number> {
    return this.open.none(limitMs)
  }

  /** Ends its timers; after `fail`. */
  stop(): void {
    this.alarm.stop()
  }

  private aborted(pending: Pending, reason: unknown): void {
    this.answer(pending, aborted(pending, this.reasonOf(pending), reason))
    if (!pending.written) this.sweepLater()
  }

  /** Why it has not been written, if something is in its way. */
  private reasonOf({ destination }: Pending): string {
    const failure = this.lines.find(destination)?.failure
    return failure === undefined
      ? this.host.reason()
      : `, because it could not be declared (${failure.message})`
  }

  /** Once for all that are given up in this turn. */
  private sweepLater(): void {
    if (this.sweeping) return
    this.sweeping = true
    this.host.clock.defer(() => {
      if (this.sweeping) this.sweep()
    })
  }

  /** Frees the room of what was given up before it was written. */
  private sweep(): void {
    this.sweeping = false
    this.bound.each()
    for (const line of this.lines.all()) {
      for (const pending of line.takeAnswered()) this.bound.leave(pending)
      if (line.empty && !line.declaring) this.lines.close(line)
    }
    this.refill()
  }

  private expire(): void {
    const now = this.host.clock.now()
    let next = this.batches.checkOverdue(now)
    const late: Pending[] = []
    const look = (pending: Pending): void => {
      if (pending.answered) return
      if (pending.deadline <= now) late.push(pending)
      else next = Math.min(next, pending.deadline)
    }
    this.batches.each(look)
    for (const line of this.lines.all()) line.each(look)
    this.bound.each(look)
    for (const pending of late) this.answer(pending, timedOut(pending, this.reasonOf(pending)))
    if (late.length > 0) this.sweep()
    if (next !== Infinity) this.alarm.set(next)
  }
}
