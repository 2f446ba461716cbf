import type { Context, Lease } from '../contract/context.ts'
import type { Delivery } from '../contract/driver.ts'
import type { OutgoingMessage, SendOptions } from '../contract/message.ts'
import type { HandlerOutput, SettlementBegins } from '../contract/middleware.ts'
import type { Settlement } from '../contract/settlement.ts'
import type { WireMessage } from '../contract/wire-message.ts'
import { PosthornError } from '../errors.ts'
import type { HeldScope } from './held-scope.ts'
import { deadLetterFor, releaseAfter, retryAfter } from './settlement.ts'
import type { PendingSettlement } from './settler.ts'

/** What runs of one consumer share. */
export interface RunOwner {
  readonly source: string
  /** Sends what a handler sends; `ordinal` counts the outputs of one attempt, so that ids repeat with the attempt. */
  output(cause: Run, ordinal: number, output: HandlerOutput): Promise<void>
}

/**
 * `waiting`: held and not begun. `holding`: between two attempts, or before its time. `parked`: of a paused type.
 * `running`: in its handler. `settling`: on its way to the broker. `gone`: settled, lost or given back.
 */
export type RunState = 'waiting' | 'holding' | 'parked' | 'running' | 'settling' | 'gone'

/**
 * One delivery from its arrival to its settlement, and the context that its handler gets: one object for both, since
 * there is one for each message.
 */
export class Run implements Context {
  readonly owner: RunOwner
  readonly held: HeldScope
  readonly delivery: Delivery
  /** The message as the broker keeps it; replaced when an attempt is recorded while holding. */
  wire: WireMessage
  /** The same as the broker is known to have it. */
  recorded: WireMessage
  state: RunState = 'waiting'
  /** Neighbours in the scope's list of what is held. */
  previous: Run | undefined = undefined
  next: Run | undefined = undefined
  readonly arrivedAt: number
  /** When the lease was last known to be renewed. */
  leasedAt: number
  /** A renewal was asked for since then, and has not been answered with one. */
  renewing = false
  /** When its handler began; `Infinity` while it waits for its batch. */
  startedAt = 0
  /** Its handler has begun and not ended. */
  active = false
  /** Ordered by its key. */
  keyed = false
  /** It is the one of its key that may go. */
  hasTurn = false
  /** It is going back in place, and its key's order depends on that. */
  returning = false
  /** It is in the line of those that are ready, though perhaps not to be taken any more. */
  lined = false
  /** While holding: its time has come. */
  due = false
  cancelWait: (() => void) | undefined = undefined
  /** A `hold` is under way; what is to follow waits for its answer, which may change the delivery's token. */
  recording = false
  later: PendingSettlement[] | undefined = undefined
  /** What was thrown, for the event that says that it is dead-lettered. */
  cause: unknown = undefined
  /** Its handler ran out of time and its outcome is decided; only the slot and the key wait for it. */
  timedOut = false
  /** The deadline of a shutdown has passed: what its handler throws is no failure. */
  shutDown = false
  private controller: AbortController | undefined = undefined
  private abortReason: unknown = undefined
  private aborted = false
  private isLost = false
  private outputs = 0
  private redirected: ((output: HandlerOutput) => Promise<void>) | undefined = undefined
  private settlementBegins: SettlementBegins | undefined = undefined
  /** Lets a context that a middleware derived with `Object.create` share this one's state. */
  private readonly self: Run

  constructor(owner: RunOwner, held: HeldScope, delivery: Delivery, now: number) {
    this.self = this
    this.owner = owner
    this.held = held
    this.delivery = delivery
    this.wire = delivery.message
    this.recorded = delivery.message
    this.arrivedAt = now
    this.leasedAt = now
  }

  get attempt(): number {
    return this.wire.attempt
  }

  get deliveries(): number {
    return this.delivery.deliveries
  }

  get firstFailedAt(): number | undefined {
    return this.wire.firstFailedAt
  }

  get dueAt(): number | undefined {
    const { attempt, replays, notBefore, time } = this.wire
    return attempt === 1 && replays === 0 ? (notBefore ?? time) : undefined
  }

  get source(): string {
    return this.owner.source
  }

  get idempotencyKey(): string | undefined {
    return this.wire.idMadeUp ? undefined : this.wire.id
  }

  get lease(): Lease {
    return this.self
  }

  get lost(): boolean {
    return this.self.isLost
  }

  get signal(): AbortSignal {
    const self = this.self
    if (self.controller === undefined) {
      self.controller = new AbortController()
      if (self.aborted) self.controller.abort(self.abortReason)
    }
    return self.controller.signal
  }

  /** Its time begins now: what went before was waiting for others. */
  restartTime(now: number): void {
    this.self.startedAt = now
  }

  abort(reason: PosthornError): void {
    if (this.aborted) return
    this.aborted = true
    this.abortReason = reason
    this.controller?.abort(reason)
  }

  lose(error: PosthornError): void {
    this.isLost = true
    this.abort(error)
  }

  /** The same delivery's next attempt starts with a clean state. */
  renew(): void {
    this.controller = undefined
    this.abortReason = undefined
    this.aborted = false
    this.timedOut = false
    this.outputs = 0
    this.redirected = undefined
    this.settlementBegins = undefined
  }

  onSettle(begins: SettlementBegins): void {
    const { self } = this
    const first = self.settlementBegins
    self.settlementBegins =
      first === undefined
        ? begins
        : (verb) => {
            const ends = [first(verb), begins(verb)]
            return (outcome) => {
              for (const end of ends) end(outcome)
            }
          }
  }

  /** The settlement of its attempt is on its way; a later one, such as when it is given back, is not that. */
  takeSettlementBegins(): SettlementBegins | undefined {
    const begins = this.settlementBegins
    if (begins !== undefined) this.settlementBegins = undefined
    return begins
  }

  redirect(to: (output: HandlerOutput) => Promise<void>): void {
    this.self.redirected = to
  }

  retry(options?: { readonly delayMs?: number; readonly error?: unknown }): Settlement {
    const delayMs = options?.delayMs
    if (delayMs !== undefined) checkDelay('retry', delayMs)
    return retryAfter(delayMs, options?.error)
  }

  release(options?: { readonly delayMs?: number }): Settlement {
    const delayMs = options?.delayMs ?? 0
    checkDelay('release', delayMs)
    return releaseAfter(delayMs)
  }

  deadLetter(options: { readonly reason: string; readonly error?: unknown }): Settlement {
    return deadLetterFor(String(options.reason), options.error)
  }

  send<Data>(queue: string, message: OutgoingMessage<Data>, options?: SendOptions): Promise<void> {
    return this.self.put({ kind: 'send', destination: queue, message, options })
  }

  publish<Data>(topic: string, message: OutgoingMessage<Data>, options?: SendOptions): Promise<void> {
    return this.self.put({ kind: 'publish', destination: topic, message, options })
  }

  private put(output: HandlerOutput): Promise<void> {
    if (this.redirected !== undefined) return this.redirected(output)
    return this.owner.output(this, this.outputs++, output)
  }
}

function checkDelay(verb: string, delayMs: unknown): void {
  if (typeof delayMs === 'number' && delayMs >= 0 && Number.isFinite(delayMs)) return
  throw new PosthornError(
    'POSTHORN_INVALID_OPTION',
    `context.${verb}({ delayMs }) takes milliseconds from 0, and got ${String(delayMs)}.`,
    { phase: 'handle' },
  )
}
