import type { Clock } from '../contract/clock.ts'
import type { Consumer, PauseOptions, StopOptions, StopReport } from '../contract/consumer.ts'
import type { Depth } from '../contract/depth.ts'
import type { DriverConnection, DriverConsumer, Source } from '../contract/driver.ts'
import type { TransportEvents } from '../contract/events.ts'
import type { ConsumerHealth } from '../contract/health.ts'
import { reconnectDelay } from '../connection/backoff.ts'
import { PosthornError, toPosthornError } from '../errors.ts'
import type { Attachment } from './attachment.ts'
import type { ConsumeSettings } from './consume-settings.ts'
import type { Runner } from './runner.ts'

export interface ControllerHost {
  readonly clock: Clock
  readonly stallMs: number
  connection(): DriverConnection | undefined
  /** Declares the source where the mode says so. */
  ensure(source: Source): Promise<void>
  emit<Name extends keyof TransportEvents>(name: Name, event: TransportEvents[Name]): void
  /** Forgets the consumer once it has stopped. */
  stopped(controller: ConsumerController): void
}

const prefetchBytes = 64 * 1024 * 1024

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
  private generation = 0
  private live: { readonly consumer: DriverConsumer; readonly attachment: Attachment } | undefined
  private failure: PosthornError | undefined
  private stopping: Promise<StopReport> | undefined
  private cancelRebuild: (() => void) | undefined
  private cancelStallCheck: (() => void) | undefined
  private stalls = 0

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
  }

  get concurrency(): number {
    return this.settings.concurrency
  }

  setConcurrency(concurrency: number): void {
    if (!Number.isInteger(concurrency) || concurrency < 1) {
      throw new PosthornError(
        'POSTHORN_INVALID_OPTION',
        `setConcurrency of "${this.source}" takes a whole number from 1, and got ${String(concurrency)}. To stop for a while, pause().`,
        { phase: 'options' },
      )
    }
    this.runner.setConcurrency(concurrency)
  }

  pause(options?: PauseOptions): void {
    if (options?.types === undefined) this.runner.pauseAll()
    else this.runner.pauseTypes(options.types, 'asked for')
  }

  resume(options?: PauseOptions): void {
    if (options?.types === undefined) this.runner.resumeAll()
    else this.runner.resumeTypes(options.types)
  }

  health(): ConsumerHealth {
    const health = this.runner.health()
    if (health.state === 'down' || health.state === 'stopped' || this.live !== undefined) return health
    if (this.failure === undefined) return { ...health, state: 'starting' }
    return { ...health, state: 'down', reason: this.failure.message }
  }

  /** Sets it up for the first time; rejects when that fails. */
  async start(): Promise<void> {
    await this.open()
    this.watchForStalls()
  }

  /** A new connection is there. */
  async restore(): Promise<void> {
    if (this.stopping !== undefined) return
    try {
      await this.open()
      this.host.emit('rebuilt', { source: this.source, reason: 'reconnected' })
    } catch (error) {
      this.rebuildLater(toPosthornError(error, 'POSTHORN_BROKER_ERROR', { phase: 'declare' }), 1)
    }
  }

  /** The connection is gone, and everything that came over it. */
  connectionLost(error: PosthornError): void {
    this.generation++
    this.cancelRebuild?.()
    const { live } = this
    this.live = undefined
    live?.attachment.void(error)
    if (live !== undefined) this.onLost(error)
  }

  stop(options?: StopOptions): Promise<StopReport> {
    this.stopping ??= this.end(options?.deadlineMs ?? 30_000)
    return this.stopping
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  private async end(deadlineMs: number): Promise<StopReport> {
    this.cancelRebuild?.()
    this.cancelStallCheck?.()
    const report = await this.runner.drain(deadlineMs)
    const { live } = this
    this.live = undefined
    this.generation++
    await live?.consumer.close()
    this.host.stopped(this)
    return report
  }

  private async open(): Promise<void> {
    const generation = ++this.generation
    const connection = this.host.connection()
    if (connection === undefined) return
    const target = this.target()
    await this.host.ensure(target)
    const attachment = this.runner.attach()
    let ended: PosthornError | undefined
    const sink = {
      ...attachment.sink,
      ended: (error: PosthornError) => {
        ended = error
        attachment.void(error)
        if (generation !== this.generation || this.live === undefined) return
        this.live = undefined
        this.onLost(error)
        if (error.retryable) this.rebuildLater(error, 1)
        else this.failure = error
      },
    }
    const request = {
      order: this.settings.order,
      prefetch: Math.max(this.settings.prefetch ?? 0, this.settings.concurrency * this.settings.batchMax),
      prefetchBytes,
      handlerTimeoutMs: this.settings.handlerTimeoutMs,
    }
    let consumer: DriverConsumer
    try {
      consumer = await connection.consume(target, request, sink)
    } catch (error) {
      attachment.void(toPosthornError(error, 'POSTHORN_BROKER_ERROR', { phase: 'declare' }))
      throw error
    }
    if (generation !== this.generation) {
      attachment.void(new PosthornError('POSTHORN_CONNECTION_LOST', 'The connection was lost while the consumer was set up.'))
      return
    }
    if (ended !== undefined) throw ended
    this.live = { consumer, attachment }
    this.failure = undefined
    attachment.started(consumer)
  }

  /** Sets it up anew after a growing, jittered wait, for as long as its connection lives. */
  private rebuildLater(error: PosthornError, attempt: number): void {
    if (this.stopping !== undefined) return
    this.failure = error
    const { generation } = this
    this.cancelRebuild = this.clock.setTimer(
      () => {
        if (this.stopping !== undefined || generation !== this.generation) return
        this.open().then(
          () => this.host.emit('rebuilt', { source: this.source, reason: error.message }),
          (next: unknown) => this.rebuildLater(toPosthornError(next, 'POSTHORN_BROKER_ERROR', { phase: 'declare' }), attempt + 1),
        )
      },
      reconnectDelay(attempt, () => this.clock.random()),
    )
  }

  /** Acts only with credit, a live consumer, nothing paused and a source that is not empty; each rebuild doubles the patience. */
  private watchForStalls(): void {
    const patienceMs = this.host.stallMs * 2 ** Math.min(this.stalls, 6)
    this.cancelStallCheck = this.clock.setTimer(() => {
      void this.checkForStall(patienceMs).finally(() => {
        if (this.stopping === undefined) this.watchForStalls()
      })
    }, patienceMs)
  }

  private async checkForStall(patienceMs: number): Promise<void> {
    const idleMs = this.clock.now() - this.runner.lastDeliveryAt
    if (idleMs < patienceMs) {
      this.stalls = 0
      return
    }
    const { live, generation } = this
    const connection = this.host.connection()
    if (live === undefined || connection === undefined || !this.runner.hungry()) return
    let depth: Depth
    try {
      depth = await connection.depth(this.target())
    } catch {
      return
    }
    const ready = depth.ready ?? depth.lag ?? 0
    if (ready === 0 || generation !== this.generation || !this.runner.hungry()) return
    this.stalls++
    this.host.emit('stalled', { source: this.source, idleMs, ready })
    this.live = undefined
    const error = new PosthornError(
      'POSTHORN_CONSUMER_ENDED',
      `"${this.source}" got nothing for ${idleMs} ms while ${ready} messages wait; it is set up anew.`,
      { phase: 'receive', retryable: true },
    )
    live.attachment.void(error)
    await live.consumer.close()
    if (generation === this.generation) this.rebuildLater(error, 1)
  }
}
