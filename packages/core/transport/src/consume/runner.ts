import type { PauseOptions, StopReport } from '../contract/consumer.ts'
import type { Delivery, DriverConsumer } from '../contract/driver.ts'
import type { ConsumerHealth } from '../contract/health.ts'
import type { Message } from '../contract/message.ts'
import type { HandlerOutput } from '../contract/middleware.ts'
import type { Settlement } from '../contract/settlement.ts'
import { PosthornError, toPosthornError } from '../errors.ts'
import { describeRefusal, judgeArrival, wasAlone } from './arrival.ts'
import { Attachment, type ScopeListener } from './attachment.ts'
import { Checkpoints } from './checkpoints.ts'
import { Closers } from './closers.ts'
import type { ConsumeSettings } from './consume-settings.ts'
import { consumerHealth } from './consumer-health.ts'
import { Custody } from './custody.ts'
import { decideFailure } from './decide-failure.ts'
import { drain, type Draining } from './drain.ts'
import { handlerStages, type HandlerStages } from './handler-stages.ts'
import type { HeldScope } from './held-scope.ts'
import { Intake } from './intake.ts'
import type { LoneRun } from './lone-run.ts'
import type { Outcomes } from './outcomes.ts'
import { receivedMessage } from './received-message.ts'
import { Run, type RunOwner } from './run.ts'
import { refOf, type RunnerHost } from './runner-host.ts'
import { Slots } from './slots.ts'
import { Sweep } from './sweep.ts'
import { Turns } from './turns.ts'

/**
 * Runs the handler of one consumer over what its driver hands out. It outlives connections: each one attaches anew, and
 * what an old one handed out is void from then on, though its handlers keep their slots until they end.
 */
export class Runner implements RunOwner, ScopeListener, Draining {
  readonly source: string
  readonly intake: Intake
  readonly outcomes: Outcomes
  readonly slots: Slots
  readonly checkpoints: Checkpoints
  /** When something last arrived; epoch milliseconds. */
  deliveredAt = 0
  private readonly host: RunnerHost
  private readonly settings: ConsumeSettings
  private readonly turns: Turns
  private readonly custody: Custody
  private readonly lone: LoneRun
  private readonly sweep: Sweep
  private readonly closers: Closers
  private readonly stages: HandlerStages
  private pumping = false

  constructor(host: RunnerHost, settings: ConsumeSettings) {
    const { clock } = host
    const pump = (): void => this.pump()
    this.host = host
    this.settings = settings
    this.source = host.source
    this.closers = new Closers(host)
    const checkpoints = new Checkpoints(clock)
    const slots = new Slots(settings.concurrency * settings.batchMax)
    const turns = new Turns(clock, settings.order === 'key', pump)
    const intake = new Intake(
      slots,
      () => Math.max(slots.size, settings.prefetch ?? 0),
      () => turns.ready,
    )
    this.checkpoints = checkpoints
    this.slots = slots
    this.turns = turns
    this.intake = intake
    this.custody = new Custody({ host, settings, intake, turns, slots, checkpoints, pump })
    this.outcomes = this.custody.outcomes
    this.lone = this.custody.lone
    this.sweep = new Sweep(clock, () => intake.everything(), settings.handlerTimeoutMs, {
      timedOut: (run) => this.timedOut(run),
      leaseLost: (run, error) => this.lose(run, error),
      overdue: (run) => this.custody.overdue(run, this.sweep.lease.scope === 'delivery'),
    })
    const access = {
      host,
      pausing: this.custody.pausing,
      allow: (owner: object, starts: number) => this.allow(owner, starts),
      onClose: (callback: () => void | Promise<void>) => this.closers.add(callback),
    }
    try {
      this.stages = handlerStages(settings, access, (run) => this.sweep.started(run))
    } catch (error) {
      void this.closers.close()
      throw error
    }
    host.gate.join(this.lone)
  }

  // Scopes

  /** A new generation of the driver's consumer. */
  attach(): Attachment {
    const { lease, limits } = this.host.capabilities()
    this.sweep.lease = lease
    this.custody.pausing.apply('this broker cannot pause single types')
    return new Attachment(this, limits.maxBatch)
  }

  started(consumer: DriverConsumer): void {
    this.intake.flow = consumer.flow
    this.custody.reopen()
    this.outcomes.flush()
  }

  scopeAssigned(held: HeldScope): number {
    return this.intake.add(held)
  }

  async scopeRevoked(held: HeldScope, deadlineMs: number): Promise<void> {
    held.closing = true
    this.intake.update()
    for (const run of held.runs()) this.custody.giveBackUnbegun(run)
    this.turns.compact()
    await this.checkpoints.until(() => held.unsettled === 0 || !held.alive, deadlineMs)
    const text = `"${this.source}": ${held.scope.name} was taken back.`
    if (held.alive) this.scopeLost(held, new PosthornError('POSTHORN_LEASE_LOST', text, { phase: 'settle' }))
  }

  scopeLost(held: HeldScope, error: PosthornError): void {
    held.alive = false
    for (const run of held.runs()) this.lose(run, error)
    this.turns.compact()
    this.intake.remove(held)
    this.pump()
  }

  private lose(run: Run, error: PosthornError): void {
    this.outcomes.lose(run, error)
    this.custody.lost(run)
  }

  // From arrival to the handler

  delivered(held: HeldScope, deliveries: readonly Delivery[]): void {
    if (!held.alive) return
    const now = this.host.clock.now()
    this.deliveredAt = now
    for (const delivery of deliveries) {
      const run = new Run(this, held, delivery, now)
      held.add(run)
      this.admit(run, now)
    }
    this.sweep.arrived(now)
    if (this.intake.moves) this.intake.update()
    this.pump()
  }

  private admit(run: Run, now: number): void {
    const verdict = judgeArrival(run.delivery, now, this.settings)
    if (verdict === 'handle') return this.custody.enqueue(run, now)
    if (verdict === 'expired') return this.outcomes.expire(run)
    const isUnproven = verdict === 'deliveries-exhausted' && this.custody.recordsTrials
    if (isUnproven && !wasAlone(run.delivery, this.settings)) return this.custody.enqueue(run, now)
    const error = describeRefusal(verdict, run.delivery, this.settings)
    if (verdict === 'invalid') this.outcomes.undecodable(run, error as PosthornError)
    else this.outcomes.bury(run, verdict, error, run.wire.attempt - 1)
  }

  private pump(): void {
    if (this.pumping) return
    this.pumping = true
    try {
      for (let run = this.takeNext(); run !== undefined; run = this.takeNext()) {
        if (this.custody.isSuspect(run) && !this.lone.is(run)) this.isolate(run)
        else this.start(run)
      }
    } finally {
      this.pumping = false
    }
    if (this.intake.limited) {
      if (this.slots.free) this.intake.saturated = false
      this.intake.update()
    }
    this.checkpoints.check()
  }

  private takeNext(): Run | undefined {
    if (this.intake.lone) return this.lone.ready()
    return this.slots.free && this.intake.open ? this.turns.next() : undefined
  }

  private isolate(run: Run): void {
    this.host.emit('suspect', { ...refOf(run), deliveries: run.delivery.deliveries })
    this.lone.begin(run)
  }

  private start(run: Run): void {
    const now = this.host.clock.now()
    const { wire } = run
    if (wire.expiresAt !== undefined && wire.expiresAt <= now) {
      this.outcomes.expire(run)
      return this.lone.end(run)
    }
    let message: Message
    try {
      message = receivedMessage(wire, this.host.codec.decode(wire.body, wire.contentType), this.source)
    } catch (error) {
      this.outcomes.undecodable(run, toPosthornError(error, 'POSTHORN_UNDECODABLE', { phase: 'receive' }))
      return this.lone.end(run)
    }
    run.state = 'running'
    run.active = true
    run.startedAt = now
    this.slots.take()
    this.sweep.started(run)
    let result: Settlement | Promise<Settlement>
    try {
      result = this.stages.next(message, run)
    } catch (error) {
      return this.ended(run, this.decide(run, error))
    }
    if (!(result instanceof Promise)) return this.ended(run, result)
    result.then(
      (settlement) => this.ended(run, settlement),
      (error: unknown) => this.ended(run, this.decide(run, error)),
    )
  }

  private decide(run: Run, error: unknown): Settlement {
    return decideFailure(this.host, this.settings.decide, run, error)
  }

  private ended(run: Run, settlement: Settlement): void {
    run.active = false
    this.slots.leave(run)
    if (run.timedOut) this.endedLate(run)
    else this.outcomes.settle(run, settlement)
    if (run.state === 'holding' || run.state === 'waiting') this.sweep.waits(run)
    if (run.lost) this.intake.left(run.held)
    this.lone.end(run)
    this.pump()
  }

  /** Its outcome was decided when its time was over. */
  private endedLate(run: Run): void {
    if (run.state !== 'holding') this.turns.end(run)
    else if (this.custody.closed(run)) this.custody.giveBackUnbegun(run)
    else this.turns.resume(run)
  }

  private timedOut(run: Run): void {
    const timeoutMs = this.settings.handlerTimeoutMs
    const ranMs = this.host.clock.now() - run.startedAt
    const error = new PosthornError(
      'POSTHORN_HANDLER_TIMEOUT',
      `The handler of "${this.source}" has run for ${ranMs} ms on message ${run.wire.id} and not ended in its time. ` +
        'Its slot stays taken until it ends: pass context.signal to what it waits for, or raise handlerTimeoutMs.',
      { phase: 'handle', retryable: true },
    )
    this.abandon(run, error)
    this.host.emit('handlerTimedOut', { ...refOf(run), timeoutMs })
    this.outcomes.settle(run, this.decide(run, error))
    if (run.lost) this.intake.left(run.held)
    this.lone.end(run)
    this.pump()
  }

  abandon(run: Run, error: PosthornError): void {
    run.timedOut = true
    this.slots.abandoned.add(run)
    run.abort(error)
  }

  output(cause: Run, ordinal: number, output: HandlerOutput): Promise<void> {
    return this.host.output(cause.wire, ordinal, output)
  }

  // What its holder and its middleware ask for

  setConcurrency(concurrency: number): void {
    this.settings.concurrency = concurrency
    this.slots.size = concurrency * this.settings.batchMax
    this.intake.update()
    this.stages.batcher?.begin()
    this.pump()
  }

  pause(options: PauseOptions): void {
    this.custody.pausing.pause(options.types)
  }

  resume(options: PauseOptions): void {
    this.custody.pausing.resume(options.types)
  }

  private allow(owner: object, starts: number): void {
    this.slots.allow(owner, starts)
    if (this.slots.allowance === 0) this.lone.withdraw()
    this.intake.update()
    this.pump()
  }

  // How it is, and its end

  health(): ConsumerHealth {
    const { source, intake, slots, stages } = this
    return consumerHealth(source, intake, slots, stages.batcher)
  }

  /** When something last arrived, or could begin to; `undefined` while nothing need come, whatever the source has. */
  hungrySince(): number | undefined {
    const { intake, slots, custody } = this
    const isHungry =
      intake.open && slots.free && !custody.pausing.any && intake.scopes.length > 0 && intake.unsettled === 0
    return isHungry ? Math.max(this.deliveredAt, custody.openedAt) : undefined
  }

  closeIntake(): number {
    return this.custody.closeIntake()
  }

  hurry(): void {
    this.stages.batcher?.purge()
    this.stages.batcher?.flush()
  }

  /** Stops for good; see `Consumer.stop`. The caller closes the driver's consumer afterwards. */
  async stop(deadlineMs: number): Promise<StopReport> {
    const report = await drain(this, deadlineMs)
    this.sweep.stop()
    this.lone.part()
    await this.closers.close()
    return report
  }
}
