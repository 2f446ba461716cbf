import type { Clock } from '../contract/clock.ts'
import type { Consumer, PauseOptions, StopOptions, StopReport } from '../contract/consumer.ts'
import type { ConsumeRequest, DriverConnection, DriverConsumer, Source } from '../contract/driver.ts'
import type { EmitEvent } from '../contract/events.ts'
import type { ConsumerHealth } from '../contract/health.ts'
import { reconnectDelay } from '../connection/backoff.ts'
import { fromDriver } from '../connection/driver-error.ts'
import { PosthornError, toPosthornError } from '../errors.ts'
import { checkOptions, duration, list, required, text } from '../options/check-options.ts'
import { showValue } from '../options/show-value.ts'
import type { Attachment } from './attachment.ts'
import { maxConcurrency, type ConsumeSettings } from './consume-settings.ts'
import { inTime } from './in-time.ts'
import type { Runner } from './runner.ts'
import { StallWatch } from './stall-watch.ts'

export interface ControllerHost {
  readonly clock: Clock
  readonly stallMs: number
  connection(): DriverConnection | undefined
  /** Declares the source where the mode says so. */
  ensure(source: Source): Promise<void>
  readonly emit: EmitEvent
  /** Forgets the consumer once it has stopped. */
  stopped(controller: ConsumerController): void
}

const prefetchBytes = 64 * 1024 * 1024
/** How long a driver may take to end a consumer. Milliseconds. */
const closeGraceMs = 5_000
/** A consumer that lived for so long was set up well: its next trouble is a new one. Milliseconds. */
const provenMs = 60_000

/** One set-up of the driver's consumer. */
interface Live {
  readonly target: Source
  readonly consumer: DriverConsumer
  readonly attachment: Attachment
  readonly since: number
}

/** Keeps one consumer reading: sets it up on each new connection, and anew when the broker ends it or it stalls. */
export class ConsumerController implements Consumer {
  readonly source: string
  private readonly host: ControllerHost
  private readonly clock: Clock
  /** Asked at each set-up: an inbox has another address each time. */
  private readonly target: () => Source
  private readonly onLost: (error: PosthornError) => void
  private readonly settings: ConsumeSettings
  private readonly runner: Runner
  private readonly watch: StallWatch
  /** Rises with each set-up and each loss; what an older one still does is void. */
  private generation = 0
  private live: Live | undefined
  private failure: PosthornError | undefined
  /** Set-ups in a row that failed, or did not live for long. */
  private troubles = 0
  private stopping: Promise<StopReport> | undefined
  private cancelRebuild: (() => void) | undefined

  constructor(
    host: ControllerHost,
    target: () => Source,
    source: string,
    settings: ConsumeSettings,
    runner: Runner,
    onLost: (error: PosthornError) => void = () => {},
  ) {
    this.host = host
    this.clock = host.clock
    this.target = target
    this.onLost = onLost
    this.source = source
    this.settings = settings
    this.runner = runner
    this.watch = new StallWatch({
      clock: host.clock,
      stallMs: host.stallMs,
      deliveredAt: () => runner.deliveredAt,
      hungrySince: () => (this.live === undefined ? undefined : runner.hungrySince()),
      ready: async () => this.live?.consumer.ready(),
      stalled: (idleMs, ready) => this.stalled(idleMs, ready),
    })
  }

  get concurrency(): number {
    return this.settings.concurrency
  }

  get isLive(): boolean {
    return this.live !== undefined
  }

  setConcurrency(concurrency: number): void {
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > maxConcurrency) {
      throw new PosthornError(
        'POSTHORN_INVALID_OPTION',
        `setConcurrency of "${this.source}" takes a whole number from 1, and got ${showValue(concurrency)}. ` +
          `The most is ${maxConcurrency}; to stop for a while, pause().`,
        { phase: 'options' },
      )
    }
    this.runner.setConcurrency(concurrency)
  }

  pause(options: PauseOptions = {}): void {
    checkOptions(`pause() of "${this.source}"`, options, pauseRules)
    this.runner.pause(options)
  }

  resume(options: PauseOptions = {}): void {
    checkOptions(`resume() of "${this.source}"`, options, pauseRules)
    this.runner.resume(options)
  }

  health(): ConsumerHealth {
    const health = this.runner.health()
    if (health.state === 'down' || health.state === 'stopped' || this.live !== undefined) return health
    if (this.failure === undefined) return { ...health, state: 'starting' }
    return { ...health, state: 'down', reason: this.failure.message }
  }

  /** Sets it up for the first time; rejects when that fails. False when the connection was lost meanwhile. */
  async start(): Promise<boolean> {
    if (this.stopping !== undefined) throw closedError(this.source)
    if (this.live === undefined) await this.open()
    if (this.live !== undefined) this.watch.start()
    return this.live !== undefined
  }

  /** A new connection is there. */
  async restore(): Promise<void> {
    await this.rebuild('reconnected')
  }

  /** The connection is gone, and everything that came over it. */
  connectionLost(error: PosthornError): void {
    this.generation++
    this.cancelRebuild?.()
    this.failure = undefined
    this.end(error)
  }

  stop(options: StopOptions = {}): Promise<StopReport> {
    try {
      checkOptions(`stop() of "${this.source}"`, options, { deadlineMs: duration() })
    } catch (error) {
      return Promise.reject(toPosthornError(error, 'POSTHORN_INVALID_OPTION'))
    }
    this.stopping ??= this.shutDown(options.deadlineMs ?? 30_000)
    return this.stopping
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  private async shutDown(deadlineMs: number): Promise<StopReport> {
    this.cancelRebuild?.()
    this.watch.stop()
    const report = await this.runner.stop(deadlineMs)
    const { live } = this
    this.live = undefined
    this.generation++
    if (live !== undefined) {
      await inTime(this.clock, closeGraceMs, live.consumer.close())
      live.attachment.void(closedError(this.source))
    }
    this.host.stopped(this)
    return report
  }

  /** Not the client underneath, which holds credentials. */
  toJSON(): ConsumerHealth {
    return this.health()
  }

  /** Rejects when it cannot be set up; where the connection went, or another set-up began, there is nothing to say. */
  private async open(): Promise<void> {
    const generation = ++this.generation
    const connection = this.host.connection()
    if (connection === undefined) return
    try {
      const live = await this.setUp(connection, generation)
      if (live === undefined) return
      this.live = live
      this.failure = undefined
      live.attachment.started(live.consumer)
    } catch (error) {
      if (generation === this.generation) throw error
    }
  }

  private async setUp(connection: DriverConnection, generation: number): Promise<Live | undefined> {
    const target = this.target()
    await this.host.ensure(target)
    if (generation !== this.generation) return undefined
    const attachment = this.runner.attach()
    let ended: PosthornError | undefined
    const sink = {
      ...attachment.sink,
      ended: (error: PosthornError) => {
        ended = error
        attachment.void(error)
        if (this.live?.attachment === attachment) this.ended(error)
      },
    }
    let consumer: DriverConsumer
    try {
      consumer = await connection.consume(target, this.request(), sink)
    } catch (error) {
      const failure = fromDriver(error, 'POSTHORN_BROKER_ERROR', { phase: 'declare', retryable: true })
      attachment.void(failure)
      // Where it failed because the connection is going, that is told within this turn, and no failure of the consumer's.
      await new Promise<void>((resolve) => this.clock.defer(resolve))
      throw failure
    }
    if (generation !== this.generation) {
      const text = `"${this.source}" was stopped, or its connection lost, while it was set up.`
      attachment.void(new PosthornError('POSTHORN_CONSUMER_ENDED', text, { phase: 'receive' }))
      await inTime(this.clock, closeGraceMs, consumer.close())
      return undefined
    }
    if (ended !== undefined) throw ended
    return { target, consumer, attachment, since: this.clock.now() }
  }

  private request(): ConsumeRequest {
    const { order, prefetch, concurrency, batchMax, handlerTimeoutMs } = this.settings
    return {
      order,
      prefetch: Math.max(prefetch ?? 0, concurrency * batchMax),
      prefetchBytes,
      handlerTimeoutMs,
    }
  }

  /** The broker has ended it, while its connection lives. */
  private ended(error: PosthornError): void {
    this.end(error)
    if (error.retryable) this.rebuildLater(error)
    else this.failure = error
  }

  private stalled(idleMs: number, ready: number): void {
    const { live } = this
    if (live === undefined) return
    this.host.emit('stalled', { source: this.source, idleMs, ready })
    const error = new PosthornError(
      'POSTHORN_CONSUMER_ENDED',
      `"${this.source}" got nothing for ${idleMs} ms while ${ready} messages wait; it is set up anew.`,
      { phase: 'receive', retryable: true },
    )
    const generation = ++this.generation
    this.end(error)
    this.failure = error
    void inTime(this.clock, closeGraceMs, live.consumer.close()).then(() => {
      if (generation === this.generation) this.rebuildLater(error)
    })
  }

  /** What it has handed out is void. */
  private end(error: PosthornError): void {
    const { live } = this
    if (live === undefined) return
    this.live = undefined
    if (this.clock.now() - live.since >= provenMs) this.troubles = 0
    live.attachment.void(error)
    this.onLost(error)
  }

  /** Sets it up anew after a growing, jittered wait, for as long as its connection lives. */
  private rebuildLater(error: PosthornError): void {
    if (this.stopping !== undefined) return
    this.failure = error
    const { generation } = this
    this.cancelRebuild = this.clock.setTimer(
      () => {
        if (generation === this.generation) void this.rebuild(error.message)
      },
      reconnectDelay(++this.troubles, () => this.clock.random()),
    )
  }

  private async rebuild(reason: string): Promise<void> {
    if (this.stopping !== undefined) return
    try {
      await this.open()
      if (this.live !== undefined) this.host.emit('rebuilt', { source: this.source, reason })
    } catch (error) {
      this.rebuildLater(fromDriver(error, 'POSTHORN_BROKER_ERROR', { phase: 'declare', retryable: true }))
    }
  }
}

Object.defineProperty(ConsumerController.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value(this: ConsumerController): string {
    return `Consumer ${JSON.stringify(this)}`
  },
})

const pauseRules = { types: list(required(text({ max: 255 })), { min: 1 }) }

function closedError(source: string): PosthornError {
  return new PosthornError('POSTHORN_CLOSED', `"${source}" has stopped. Consume it anew to go on.`, {
    phase: 'settle',
  })
}
