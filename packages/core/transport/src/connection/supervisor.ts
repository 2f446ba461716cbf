import type { Clock } from '../contract/clock.ts'
import type { Driver } from '../contract/driver.ts'
import type { EmitEvent } from '../contract/events.ts'
import type { ConnectionState } from '../contract/health.ts'
import { PosthornError } from '../errors.ts'
import { reconnectDelay } from './backoff.ts'
import { fromDriver } from './driver-error.ts'
import { Link, passing } from './link.ts'

export interface SupervisorOptions<Native> {
  readonly driver: Driver<Native>
  readonly clock: Clock
  readonly namespace: string
  /** Milliseconds for the first connection, all tries together. */
  readonly connectTimeoutMs: number
  readonly maxReconnects: number
  readonly emit: EmitEvent
  /** A connection is there; what it needs is set up before it counts as up. */
  up(link: Link<Native>): Promise<void>
  /** The connection, or one that was being set up, is gone. */
  down(error: PosthornError): void
  /** The connection came up, or is blocked, unreachable, or neither any more. */
  changed(): void
  /** There will be no further connection. */
  gaveUp(error: PosthornError): void
}

/** A single try may not take longer: a broker that accepts and stays silent must not hang it. */
const attemptTimeoutMs = 10_000
/** What the last try for the first connection has of its time, at most. */
const longestLastTryMs = 2_000
/** Nor may declaring and consuming again on what it gave. */
const setUpTimeoutMs = 30_000
/** A connection that held for less counts as a failed try, so that a broker that drops each at once is not stormed. */
const steadyMs = 10_000

/** Keeps one connection alive: connects, notices its loss, connects again with growing, jittered delays. */
export class Supervisor<Native> {
  state: ConnectionState = 'connecting'
  since: number
  error: PosthornError | undefined
  private readonly options: SupervisorOptions<Native>
  private readonly clock: Clock
  private link: Link<Native> | undefined
  /** Why nothing is tried any more. */
  private ended: PosthornError | undefined
  private cancelWait: (() => void) | undefined
  /** Tries since a connection last held. */
  private streak = 0

  constructor(options: SupervisorOptions<Native>) {
    this.options = options
    this.clock = options.clock
    this.since = options.clock.now()
  }

  /** The link that has a connection, also while that is set up, blocked or unreachable. */
  get current(): Link<Native> | undefined {
    return this.link?.connection === undefined ? undefined : this.link
  }

  /** The link that is set up and reaches the broker, blocked or not. */
  get usable(): Link<Native> | undefined {
    return this.state === 'up' || this.state === 'blocked' ? this.current : undefined
  }

  /** Why it is not up. */
  get reason(): string | undefined {
    if (this.state === 'up') return undefined
    return this.state === 'blocked' ? this.link?.blockedReason : this.error?.message
  }

  /** The first connection. Rejects with the last error when there is none in time, at once when trying again cannot help. */
  async start(): Promise<void> {
    const { connectTimeoutMs } = this.options
    const deadline = this.clock.now() + connectTimeoutMs
    // However long the next wait would be, there is one more try before the end.
    const lastTryMs = Math.min(longestLastTryMs, connectTimeoutMs / 4)
    for (;;) {
      try {
        return await this.attempt(Math.min(attemptTimeoutMs, Math.max(1, deadline - this.clock.now())))
      } catch (caught) {
        const error = connectFailure(caught)
        const delay = Math.min(this.nextDelay(), deadline - lastTryMs - this.clock.now())
        if (this.ended !== undefined) throw this.ended
        if (!error.retryable || delay <= 0) {
          this.ended = error
          this.change('down', error)
          throw error
        }
        this.error = error
        await this.wait(delay)
      }
    }
  }

  /** Replaces a connection that is there and does not work. */
  replace(error: PosthornError): void {
    const { current } = this
    if (current === undefined) return
    current.end(error)
    this.lost(current, error)
  }

  /** Ends it for good; the connection has `graceMs` to say goodbye. Never rejects. */
  async close(error: PosthornError, graceMs: number): Promise<void> {
    this.ended = error
    this.cancelWait?.()
    const { link } = this
    link?.end(error)
    this.change('closed', undefined)
    if (link === undefined) return
    await new Promise<void>((resolve) => {
      const cancel = this.clock.setTimer(resolve, graceMs)
      void link.close().then(() => {
        cancel()
        resolve()
      })
    })
  }

  private async attempt(timeoutMs: number): Promise<void> {
    if (this.ended !== undefined) throw this.ended
    const { driver, namespace, emit } = this.options
    const link: Link<Native> = new Link({
      driver,
      namespace,
      emit,
      clock: this.clock,
      lost: (error) => this.lost(link, error),
      changed: () => this.refresh(link),
    })
    this.link = link
    await link.open(timeoutMs)
    try {
      await link.setUp(() => this.options.up(link), setUpTimeoutMs)
      if (link.over !== undefined) throw link.over
    } catch (caught) {
      const error = passing(connectFailure(caught))
      link.end(error)
      void link.close()
      if (this.ended === undefined) this.options.down(error)
      throw error
    }
    link.readySince = this.clock.now()
    this.refresh(link)
  }

  /** The link has ended. */
  private lost(link: Link<Native>, error: PosthornError): void {
    if (this.ended !== undefined || link !== this.link) return
    this.error = error
    const { readySince } = link
    // While it is connected or set up, the attempt that does so notices and goes on by itself.
    if (readySince === undefined) return
    if (this.clock.now() - readySince >= steadyMs) this.streak = 0
    void link.close()
    this.change('connecting', error)
    this.options.down(error)
    void this.reconnect()
  }

  private async reconnect(): Promise<void> {
    const { maxReconnects } = this.options
    for (let tries = 1; ; tries++) {
      if (tries > maxReconnects) return this.giveUp(this.exhausted(maxReconnects))
      await this.wait(this.nextDelay())
      try {
        return await this.attempt(attemptTimeoutMs)
      } catch (caught) {
        if (this.ended !== undefined) return
        this.error = connectFailure(caught)
        if (!this.error.retryable) return this.giveUp(this.error)
      }
    }
  }

  private exhausted(tries: number): PosthornError {
    const { name } = this.options.driver
    const last = this.error === undefined ? '' : ` The last error: ${this.error.message}`
    const text = `The connection to ${name} is gone, and ${tries} tries to connect again (maxReconnects) failed; open a new transport.${last}`
    return new PosthornError('POSTHORN_CONNECT_FAILED', text, { phase: 'connect', cause: this.error })
  }

  private giveUp(error: PosthornError): void {
    this.ended = error
    this.change('down', error)
    this.options.gaveUp(error)
  }

  private refresh(link: Link<Native>): void {
    if (this.ended !== undefined || link !== this.link || link.readySince === undefined) return
    if (link.unreachableReason !== undefined) {
      const text = `${this.options.driver.name} is not reached for now: ${link.unreachableReason}.`
      this.change(
        'connecting',
        new PosthornError('POSTHORN_CONNECTION_LOST', text, { phase: 'connect', retryable: true }),
      )
    } else this.change(link.blockedReason === undefined ? 'up' : 'blocked', undefined)
    this.options.changed()
  }

  private change(state: ConnectionState, error: PosthornError | undefined): void {
    this.error = error
    if (this.state === state) return
    this.state = state
    this.since = this.clock.now()
    this.options.emit('connection', { state, error })
  }

  private nextDelay(): number {
    this.streak++
    return reconnectDelay(this.streak, () => this.clock.random())
  }

  private wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.clock.setTimer(resolve, delayMs)
      this.cancelWait = () => {
        cancel()
        resolve()
      }
    })
  }
}

function connectFailure(caught: unknown): PosthornError {
  return fromDriver(caught, 'POSTHORN_CONNECT_FAILED', { phase: 'connect', retryable: true })
}
