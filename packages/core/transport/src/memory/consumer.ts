import { consumerEnded, scopeLost } from './errors.ts'
import { allOf } from './outcomes.ts'
import { openQueue } from './queue.ts'
import { Session } from './session.ts'
import { within } from './within.ts'
import type { Connection } from './connection.ts'
import type { BrokerParts } from './parts.ts'
import type { Queue } from './queue.ts'
import type {
  ConsumeRequest,
  Delivery,
  DeliverySink,
  DriverConsumer,
  Scope,
  SettleItem,
  SettleOutcome,
} from '../contract/driver.ts'

/** What a consumer gets beyond its handlers' time to give a scope up. */
const revokeGraceMs = 10_000

/** One reader of a queue. */
export class Consumer implements DriverConsumer {
  readonly flow: 'dynamic' | 'fixed'
  readonly request: ConsumeRequest
  readonly sink: DeliverySink
  readonly queue: Queue
  private readonly connection: Connection
  private readonly deadLetterQueue: string | undefined
  private readonly parts: BrokerParts
  private readonly sessions = new Set<Session>()
  private isOpen = true

  constructor(
    connection: Connection,
    queue: Queue,
    deadLetterQueue: string | undefined,
    request: ConsumeRequest,
    sink: DeliverySink,
    parts: BrokerParts,
  ) {
    this.connection = connection
    this.queue = queue
    this.deadLetterQueue = deadLetterQueue
    this.request = request
    this.sink = sink
    this.parts = parts
    this.flow = parts.settings.flow
  }

  start(): void {
    if (!this.isOpen) return
    if (this.parts.queues.get(this.queue.name) === this.queue) this.queue.sharing.join(this)
    else this.kill('its queue was deleted')
  }

  /** Starts to get what the session's line has. */
  open(session: Session): void {
    this.sessions.add(session)
    session.isInterrupted = !this.connection.isReachable
    session.window = this.sink.assigned(session)
    if (session.isOpen) session.line.join(session)
  }

  window(scope: Scope, size: number): void {
    if (this.owns(scope)) scope.resize(size)
  }

  async settle(scope: Scope, items: readonly SettleItem[]): Promise<readonly SettleOutcome[]> {
    if (!this.connection.isReachable) await this.connection.reach()
    return this.owns(scope) ? scope.settle(items) : allOf('lost', items.length)
  }

  async renew(scope: Scope, deliveries: readonly Delivery[]): Promise<readonly SettleOutcome[]> {
    if (!this.connection.isReachable) await this.connection.reach()
    return this.owns(scope) ? scope.renew(deliveries) : allOf('lost', deliveries.length)
  }

  async ready(): Promise<number> {
    if (!this.connection.isReachable) await this.connection.reach()
    return [...this.sessions].reduce((sum, { line }) => sum + line.ready, 0)
  }

  close(): Promise<void> {
    this.end(this.parts.settings.release === 'counted')
    return Promise.resolve()
  }

  /** Everything that it holds goes back at once; what was only for it is gone. */
  end(counted: boolean): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.connection.forget(this)
    const { kind } = this.queue.arguments
    if (kind === 'ephemeral' || kind === 'inbox') this.queue.destroy()
    for (const session of this.sessions) session.end(counted)
    this.sessions.clear()
    this.queue.sharing.leave(this)
  }

  /** Ends it from the broker's side. */
  kill(reason: string): void {
    if (!this.isOpen) return
    this.end(true)
    this.sink.ended(consumerEnded(this.queue.name, reason))
  }

  /** The connection is interrupted, or not any more. */
  interrupt(): void {
    for (const session of this.sessions) {
      session.isInterrupted = !this.connection.isReachable
      session.line.wake()
    }
  }

  /** Takes a scope without asking; the consumer gets another one. */
  loseSession(session: Session, reason: string): void {
    session.end(true)
    if (!this.sessions.delete(session)) return
    this.sink.lost(session, scopeLost(session.name, reason))
    this.parts.clock.defer(() => this.queue.sharing.renew(this))
  }

  /** Asks for a scope and takes it when its consumer is ready, or out of time. */
  giveUp(session: Session): Promise<void> {
    session.takenBack ??= this.takeBack(session)
    return session.takenBack
  }

  /** Gives up all scopes and gets others. */
  async giveUpAll(): Promise<void> {
    await Promise.all([...this.sessions].map((session) => this.giveUp(session)))
    this.queue.sharing.renew(this)
  }

  /** Takes what it holds; where whole scopes are held, these. */
  dropLeases(): void {
    for (const session of this.sessions) {
      if (this.parts.settings.lease.scope === 'session') this.loseSession(session, 'its lease was dropped')
      else session.endLeases(Infinity)
    }
  }

  /** Where what it cannot handle goes. */
  deadLetters(): Queue | undefined {
    return this.deadLetterQueue === undefined ? undefined : openQueue(this.parts, this.deadLetterQueue)
  }

  private async takeBack(session: Session): Promise<void> {
    session.isClosing = true
    const deadlineMs = this.request.handlerTimeoutMs + revokeGraceMs
    await within(this.parts.clock, deadlineMs, this.sink.revoke(session, deadlineMs))
    session.end(true)
    this.sessions.delete(session)
  }

  private owns(scope: Scope): scope is Session {
    return scope instanceof Session && scope.consumer === this
  }
}
