import type { StopReport } from '../contract/consumer.ts'
import type { Delivery, DriverConsumer } from '../contract/driver.ts'
import type { ConsumerHealth } from '../contract/health.ts'
import type { Message } from '../contract/message.ts'
import type { HandlerOutput, MiddlewareRuntime, Next } from '../contract/middleware.ts'
import type { Settlement } from '../contract/settlement.ts'
import { PosthornError, toPosthornError } from '../errors.ts'
import { judgeArrival } from './arrival.ts'
import { Attachment, type ScopeListener } from './attachment.ts'
import { batchTerminal, type BatchLimits } from './batcher.ts'
import { compose, defaultRetry, terminal } from './chain.ts'
import { Checkpoints } from './checkpoints.ts'
import type { ConsumeSettings } from './consume-settings.ts'
import type { HeldScope } from './held-scope.ts'
import { Intake } from './intake.ts'
import type { Yielding } from './lone-gate.ts'
import { Outcomes } from './outcomes.ts'
import { receivedMessage } from './received-message.ts'
import { Run, type RunOwner } from './run.ts'
import { refOf, typeOf, type RunnerHost } from './runner-host.ts'
import { retryAfter } from './settlement.ts'
import { Sweep } from './sweep.ts'
import { Turns } from './turns.ts'
import { TypePauses } from './type-pauses.ts'

/** How long handlers may take to notice that a shutdown's deadline has passed. */
const abortGraceMs = 1_000
/** How long the last settlements of a shutdown may take. */
const settleGraceMs = 5_000

/**
 * Runs the handler of one consumer over what its driver hands out. It outlives connections: each one attaches anew, and
 * what an old one handed out is void from then on, though its handlers keep their slots until they end.
 */
export class Runner implements RunOwner, ScopeListener, Yielding {
  readonly source: string
  /** When the last delivery arrived; epoch milliseconds. */
  lastDeliveryAt: number
  private readonly host: RunnerHost
  private readonly settings: ConsumeSettings
  private readonly intake: Intake
  private readonly turns: Turns
  private readonly outcomes: Outcomes
  private readonly sweep: Sweep
  private readonly chain: Next
  private readonly batchLimits: BatchLimits
  private readonly pauses = new TypePauses()
  private readonly checkpoints: Checkpoints
  private readonly closers: (() => void | Promise<void>)[] = []
  /** Handlers that have begun and not ended. */
  private running = 0
  /** Those of them whose time is over. */
  private abandoned = 0
  private pumping = false
  /** The message that must run with nothing else in the process. */
  private lone: Run | undefined
  private loneAdmitted = false

  constructor(host: RunnerHost, settings: ConsumeSettings) {
    const { clock } = host
    this.host = host
    this.settings = settings
    this.source = host.source
    this.lastDeliveryAt = clock.now()
    this.intake = new Intake(() => this.prefetch())
    this.turns = new Turns(clock, settings.order === 'key', () => this.pump())
    this.checkpoints = new Checkpoints(clock)
    this.outcomes = new Outcomes(host, settings, this.turns, () => {
      if (this.intake.scopes.length > 1) this.intake.update()
      this.pump()
    })
    this.sweep = new Sweep(clock, () => this.intake.scopes, settings.handlerTimeoutMs, {
      timedOut: (run) => this.timedOut(run),
      leaseLost: (run, error) => this.lose(run, error),
      overdue: (run) => this.overdue(run),
    })
    this.batchLimits = { max: settings.batchMax, waitMs: settings.batchWaitMs, concurrency: settings.concurrency }
    this.chain = this.build()
    host.gate.join(this)
  }

  private build(): Next {
    const { handler, middleware } = this.settings
    const last =
      handler.kind === 'batch'
        ? batchTerminal(this.source, handler.call, this.batchLimits, this.host.clock)
        : terminal(handler.call)
    const needsPolicy = middleware.length > 0 && !middleware.some((one) => one.phase === 'retry')
    const at = middleware.findLastIndex((one) => one.phase === 'observe') + 1
    return compose(needsPolicy ? middleware.toSpliced(at, 0, defaultRetry) : middleware, last, this.runtime())
  }

  private prefetch(): number {
    return Math.max(this.slots(), this.settings.prefetch ?? 0)
  }

  private slots(): number {
    return this.settings.concurrency * this.settings.batchMax
  }

  // Scopes

  /** A new generation of the driver's consumer. */
  attach(): Attachment {
    this.sweep.lease = this.host.capabilities().lease
    return new Attachment(this)
  }

  started(consumer: DriverConsumer): void {
    this.intake.flow = consumer.flow
    this.intake.update()
    this.outcomes.flush()
  }

  scopeAssigned(held: HeldScope): number {
    return this.intake.add(held)
  }

  async scopeRevoked(held: HeldScope, deadlineMs: number): Promise<void> {
    held.closing = true
    this.intake.update()
    for (const run of held.runs()) this.giveBackUnlessRunning(run)
    await this.checkpoints.until(() => held.unsettled === 0 || !held.alive, deadlineMs)
    const text = `"${this.source}": ${held.scope.name} was taken back.`
    if (held.alive) this.scopeLost(held, new PosthornError('POSTHORN_LEASE_LOST', text, { phase: 'settle' }))
  }

  scopeLost(held: HeldScope, error: PosthornError): void {
    held.alive = false
    for (const run of held.runs()) this.lose(run, error)
    this.intake.remove(held)
    this.pump()
  }

  private lose(run: Run, error: PosthornError): void {
    this.outcomes.lose(run, error)
    if (this.lone === run && !run.active) this.loneDone()
  }

  // From arrival to the handler

  delivered(held: HeldScope, deliveries: readonly Delivery[]): void {
    if (!held.alive) return
    const now = this.host.clock.now()
    this.lastDeliveryAt = now
    for (const delivery of deliveries) {
      const run = new Run(this, held, delivery, now)
      held.add(run)
      this.admit(run, now)
    }
    this.sweep.arrived(now)
    if (this.intake.scopes.length > 1) this.intake.update()
    this.pump()
  }

  private admit(run: Run, now: number): void {
    const verdict = judgeArrival(run.delivery, now, this.settings)
    switch (verdict) {
      case 'handle':
        if (this.intake.probing) {
          this.intake.probing = false
          this.intake.update()
        }
        return this.enqueue(run, now)
      case 'suspect':
        return this.suspect(run)
      case 'expired':
        return this.outcomes.expire(run)
      case 'invalid': {
        const text = `The envelope of message ${run.wire.id} cannot be trusted: ${run.delivery.invalid ?? ''}.`
        return this.outcomes.undecodable(run, new PosthornError('POSTHORN_UNDECODABLE', text, { phase: 'receive' }))
      }
      default:
        return this.outcomes.bury(run, verdict, undefined, run.wire.attempt - 1)
    }
  }

  private enqueue(run: Run, now: number): void {
    if (!this.intake.open) this.outcomes.giveBack(run)
    else if (this.pauses.has(typeOf(run))) this.park(run)
    else this.turns.enter(run, now)
  }

  private pump(): void {
    if (this.pumping) return
    this.pumping = true
    if (this.lone !== undefined) this.startLone(this.lone)
    const slots = this.slots()
    while (this.running < slots && this.intake.open) {
      const run = this.turns.next()
      if (run === undefined) break
      this.start(run)
    }
    this.pumping = false
    this.checkpoints.check(this.running)
  }

  private start(run: Run): void {
    const now = this.host.clock.now()
    const { wire } = run
    if (wire.expiresAt !== undefined && wire.expiresAt <= now) return this.outcomes.expire(run)
    let message: Message
    try {
      message = receivedMessage(wire, this.host.codec.decode(wire.body, wire.contentType), this.source)
    } catch (error) {
      return this.outcomes.undecodable(run, toPosthornError(error, 'POSTHORN_UNDECODABLE', { phase: 'receive' }))
    }
    run.state = 'running'
    run.active = true
    run.startedAt = now
    this.running++
    this.sweep.started(now)
    let result: Settlement | Promise<Settlement>
    try {
      result = this.chain(message, run)
    } catch (error) {
      return this.ended(run, retryAfter(undefined, error))
    }
    if (!(result instanceof Promise)) return this.ended(run, result)
    result.then(
      (settlement) => this.ended(run, settlement),
      (error: unknown) => this.ended(run, retryAfter(undefined, error)),
    )
  }

  private ended(run: Run, settlement: Settlement): void {
    this.running--
    run.active = false
    if (run.timedOut) {
      // Its outcome was decided when its time was over.
      this.abandoned--
      this.turns.resume(run)
      this.turns.end(run)
    } else this.outcomes.settle(run, settlement)
    if (this.lone === run) this.loneDone()
    this.pump()
  }

  private timedOut(run: Run): void {
    const timeoutMs = this.settings.handlerTimeoutMs
    const error = new PosthornError(
      'POSTHORN_HANDLER_TIMEOUT',
      `The handler of "${this.source}" ran longer than ${timeoutMs} ms on message ${run.wire.id}. ` +
        'Its slot stays taken until it ends: pass context.signal to what it waits for, or raise handlerTimeoutMs.',
      { phase: 'handle', retryable: true },
    )
    this.abandon(run, error)
    this.host.emit('handlerTimedOut', { ...refOf(run), timeoutMs })
    this.outcomes.settle(run, retryAfter(undefined, error))
  }

  private abandon(run: Run, error: PosthornError): void {
    run.timedOut = true
    this.abandoned++
    run.abort(error)
  }

  /** With its key go all that wait behind it: given back one by one, they would overtake each other. */
  private overdue(run: Run): void {
    const { key } = run.wire
    const along = run.keyed ? this.heldRuns().filter((one) => one.keyed && one.wire.key === key) : [run]
    for (const one of along) this.giveBackUnlessRunning(one)
  }

  // A message suspected of ending its process

  private suspect(run: Run): void {
    this.host.emit('suspect', { ...refOf(run), deliveries: run.delivery.deliveries })
    if (!this.intake.open) return this.outcomes.giveBack(run)
    this.lone = run
    this.loneAdmitted = false
    this.intake.lone = true
    this.intake.update()
    this.giveBackWaiting(run)
    this.host.gate.ask(this, () => {
      this.loneAdmitted = true
      this.pump()
    })
  }

  private startLone(run: Run): void {
    if (!this.loneAdmitted || this.running > 0 || run.state !== 'waiting') return
    this.start(run)
    if (this.lone === run && !run.active) this.loneDone()
  }

  private loneDone(): void {
    this.lone = undefined
    this.intake.lone = false
    this.intake.probing = true
    this.intake.update()
    this.host.gate.leave(this)
  }

  makeWay(idle: () => void): void {
    this.intake.madeWay = true
    this.closeIntake()
    this.checkpoints.whenIdle(idle)
    this.checkpoints.check(this.running)
  }

  goOn(): void {
    this.intake.madeWay = false
    this.reopened()
  }

  // Pauses

  setConcurrency(concurrency: number): void {
    this.settings.concurrency = concurrency
    this.batchLimits.concurrency = concurrency
    this.intake.update()
    this.pump()
  }

  pauseAll(): void {
    if (this.intake.paused) return
    this.intake.paused = true
    this.host.emit('paused', { source: this.source, types: undefined, reason: 'asked for' })
    this.closeIntake()
  }

  resumeAll(): void {
    if (!this.intake.paused) return
    this.intake.paused = false
    this.reopened()
  }

  /** Pauses message types, or everything where types cannot be told apart without spending attempts or order. */
  pauseTypes(types: readonly string[] | undefined, reason: string): void {
    const whole = types === undefined || this.pausesWhole()
    this.host.emit('paused', { source: this.source, types: whole ? undefined : types, reason })
    if (whole) {
      this.intake.wholePauses++
      return this.closeIntake()
    }
    this.pauses.pause(types)
    for (const run of this.heldRuns()) if (run.state === 'waiting' && types.includes(typeOf(run))) this.park(run)
  }

  resumeTypes(types: readonly string[] | undefined): void {
    if (types === undefined || this.pausesWhole()) {
      if (this.intake.wholePauses === 0) return
      this.intake.wholePauses--
      return this.reopened()
    }
    const now = this.host.clock.now()
    for (const run of this.pauses.resume(types, typeOf)) {
      run.state = 'waiting'
      this.enqueue(run, now)
    }
    this.host.emit('resumed', { source: this.source, types })
    this.pump()
  }

  private pausesWhole(): boolean {
    const { uncountedRelease, delayedRetry } = this.host.capabilities().features
    return this.settings.order === 'key' || uncountedRelease.level === 'unsupported' || delayedRetry.level === 'unsupported'
  }

  private park(run: Run): void {
    run.state = 'parked'
    const delayMs = this.pauses.park(run, this.prefetch())
    if (delayMs !== undefined) this.outcomes.postpone(run, delayMs)
  }

  private closeIntake(): void {
    this.intake.update()
    this.giveBackWaiting()
  }

  private reopened(): void {
    if (this.intake.open) this.host.emit('resumed', { source: this.source, types: undefined })
    this.intake.update()
    this.pump()
  }

  private heldRuns(): Run[] {
    return this.intake.scopes.flatMap((scope) => scope.runs())
  }

  private giveBackWaiting(except?: Run): number {
    return this.heldRuns().filter((run) => run !== except && this.giveBackUnlessRunning(run)).length
  }

  private giveBackUnlessRunning(run: Run): boolean {
    if (run.active || (run.state !== 'waiting' && run.state !== 'holding' && run.state !== 'parked')) return false
    this.outcomes.giveBack(run)
    return true
  }

  // The end

  /** Stops for good; see `Consumer.stop`. The caller closes the driver's consumer afterwards. */
  async drain(deadlineMs: number): Promise<StopReport> {
    const { source } = this
    this.intake.stopping = true
    this.outcomes.stopping = true
    this.intake.update()
    const released = this.giveBackWaiting()
    await this.checkpoints.until(() => this.running === 0, deadlineMs)
    const unfinished = await this.abortLate()
    await this.checkpoints.until(() => this.intake.scopes.every((scope) => scope.unsettled === 0), settleGraceMs)
    this.sweep.stop()
    this.host.gate.part(this)
    this.checkpoints.check(0)
    for (const close of this.closers) {
      try {
        await close()
      } catch (error) {
        this.host.emit('callbackFailed', { where: `a middleware of "${source}" while closing`, error })
      }
    }
    return { source, released, unfinished }
  }

  /** Tells handlers that are late to end, and gives the messages of those that do not back. Answers which were late. */
  private async abortLate(): Promise<StopReport['unfinished']> {
    const late = this.heldRuns().filter((run) => run.active && !run.timedOut)
    if (late.length === 0) return []
    const text = `"${this.source}" is closing and its deadline has passed.`
    const error = new PosthornError('POSTHORN_CLOSED', text, { phase: 'handle' })
    for (const run of late) {
      run.shutDown = true
      run.abort(error)
    }
    await this.checkpoints.until(() => this.running === 0, abortGraceMs)
    for (const run of late) {
      if (!run.active) continue
      this.abandon(run, error)
      this.outcomes.giveBack(run)
    }
    return late.map((run) => ({ id: run.wire.id, type: typeOf(run) }))
  }

  health(): ConsumerHealth {
    const { running, abandoned, source, intake } = this
    const held = intake.scopes.reduce((sum, scope) => sum + scope.unsettled, 0)
    const hung = abandoned > 0 && abandoned >= this.slots()
    const paused = intake.paused || intake.wholePauses > 0
    return {
      source,
      state: hung ? 'down' : intake.stopping ? 'stopped' : paused ? 'paused' : 'up',
      reason: hung ? `all ${abandoned} slots are taken by handlers that ran out of their time and have not ended` : undefined,
      running,
      abandoned,
      waiting: Math.max(0, held - running),
    }
  }

  /** Whether something should be coming, were the source not empty. */
  hungry(): boolean {
    const { open, scopes } = this.intake
    return open && !this.pauses.any && scopes.length > 0 && scopes.every((scope) => scope.unsettled === 0)
  }

  output(cause: Run, ordinal: number, output: HandlerOutput): Promise<void> {
    return this.host.output(cause.wire, cause.delivery.stableId, ordinal, output)
  }

  private runtime(): MiddlewareRuntime {
    const { host, closers } = this
    return {
      source: host.source,
      clock: host.clock,
      get capabilities() {
        return host.capabilities()
      },
      emit: (name, event) => host.emit(name, event),
      pause: (types) => this.pauseTypes(types, 'a middleware asked for it'),
      resume: (types) => this.resumeTypes(types),
      redirect: (context, to) => (context as Run).redirect(to),
      onClose: (callback) => closers.push(callback),
    }
  }
}
