import type { Clock } from '../contract/clock.ts'
import type { Driver, DriverConnection, DriverHost } from '../contract/driver.ts'
import type { TransportEvents } from '../contract/events.ts'
import type { ConnectionState } from '../contract/health.ts'
import { PosthornError, toPosthornError } from '../errors.ts'
import { reconnectDelay } from './backoff.ts'

export interface SupervisorOptions<Native> {
  readonly driver: Driver<Native>
  readonly clock: Clock
  readonly namespace: string
  /** Milliseconds for the first connection, all tries together. */
  readonly connectTimeoutMs: number
  readonly maxReconnects: number
  emit<Name extends keyof TransportEvents>(name: Name, event: TransportEvents[Name]): void
  /** A connection is there; what it needs is set up before it counts as up. */
  up(connection: DriverConnection<Native>): Promise<void>
  down(error: PosthornError): void
  unblocked(): void
  /** There will be no further connection. */
  gaveUp(error: PosthornError): void
}

/** A single try may not take longer: a broker that accepts and stays silent must not hang it. */
const attemptTimeoutMs = 10_000

/** Keeps one connection alive: connects, notices its loss, connects again with growing, jittered delays. */
export class Supervisor<Native> {
  state: ConnectionState = 'connecting'
  since: number
  error: PosthornError | undefined
  blockedReason: string | undefined
  private readonly options: SupervisorOptions<Native>
  private readonly clock: Clock
  private current: DriverConnection<Native> | undefined
  private closed = false
  private cancelAttempt: (() => void) | undefined
  private cancelWait: (() => void) | undefined

  constructor(options: SupervisorOptions<Native>) {
    this.options = options
    this.clock = options.clock
    this.since = options.clock.now()
  }

  /** The live connection, blocked or not. */
  get connection(): DriverConnection<Native> | undefined {
    return this.current
  }

  /** The first connection. Rejects with the last error when there is none in time, at once when trying again cannot help. */
  async start(): Promise<void> {
    const deadline = this.clock.now() + this.options.connectTimeoutMs
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.attempt(Math.min(attemptTimeoutMs, Math.max(1, deadline - this.clock.now())))
      } catch (caught) {
        const error = this.failed(caught)
        const delay = reconnectDelay(attempt, () => this.clock.random())
        if (!error.retryable || this.closed || this.clock.now() + delay >= deadline) {
          this.closed = true
          this.change('down', error)
          throw error
        }
        await this.wait(delay)
      }
    }
  }

  async close(): Promise<void> {
    this.closed = true
    this.cancelWait?.()
    this.cancelAttempt?.()
    const connection = this.current
    this.current = undefined
    this.change('closed', undefined)
    await connection?.close()
  }

  private failed(caught: unknown): PosthornError {
    return toPosthornError(caught, 'POSTHORN_CONNECT_FAILED', { phase: 'connect', retryable: true })
  }

  private async attempt(timeoutMs: number): Promise<void> {
    const abort = new AbortController()
    let valid = true
    const host: DriverHost = {
      clock: this.clock,
      namespace: this.options.namespace,
      signal: abort.signal,
      emit: (name, event) => this.options.emit(name, event),
      lost: (error) => {
        if (!valid) return
        valid = false
        this.lost(error)
      },
      blocked: (reason) => {
        if (valid) this.blocked(reason)
      },
      unreachable: (reason) => {
        if (valid) this.unreachable(reason)
      },
    }
    const connecting = this.options.driver.connect(host)
    const connection = await this.bounded(connecting, timeoutMs, abort, () => {
      valid = false
    })
    this.current = connection
    try {
      await this.options.up(connection)
      if (!valid) throw this.error ?? new PosthornError('POSTHORN_CONNECTION_LOST', 'The connection was lost while it was set up.', { phase: 'connect', retryable: true })
    } catch (error) {
      const wasValid = valid
      valid = false
      if (this.current === connection) this.current = undefined
      if (wasValid) await connection.close()
      throw error
    }
    if (this.state === 'connecting') this.change('up', undefined)
  }

  /** The connection, or an error after the time; one that comes later is closed. */
  private bounded(
    connecting: Promise<DriverConnection<Native>>,
    timeoutMs: number,
    abort: AbortController,
    giveUp: () => void,
  ): Promise<DriverConnection<Native>> {
    return new Promise((resolve, reject) => {
      let over = false
      const end = (error: PosthornError): void => {
        if (over) return
        over = true
        giveUp()
        abort.abort(error)
        reject(error)
      }
      const { name } = this.options.driver
      const cancel = this.clock.setTimer(() => {
        const text = `${name} did not answer within ${timeoutMs} ms. Check the address, and that the broker is up.`
        end(new PosthornError('POSTHORN_CONNECT_FAILED', text, { phase: 'connect', retryable: true }))
      }, timeoutMs)
      this.cancelAttempt = () => end(new PosthornError('POSTHORN_CLOSED', 'The transport was closed while connecting.', { phase: 'connect' }))
      connecting.then(
        (connection) => {
          cancel()
          if (over) void connection.close()
          else {
            over = true
            resolve(connection)
          }
        },
        (error: unknown) => {
          cancel()
          end(this.failed(error))
        },
      )
    })
  }

  private lost(error: PosthornError): void {
    const wasUp = this.state === 'up' || this.state === 'blocked'
    this.current = undefined
    this.blockedReason = undefined
    this.error = error
    if (this.closed) return
    this.options.down(error)
    // While it is being set up, the attempt that does so notices and goes on by itself.
    if (!wasUp) return
    this.change('connecting', error)
    void this.reconnect()
  }

  private async reconnect(): Promise<void> {
    for (let attempt = 1; !this.closed; attempt++) {
      if (attempt > this.options.maxReconnects) return this.giveUp(this.error)
      await this.wait(reconnectDelay(attempt, () => this.clock.random()))
      if (this.closed) return
      try {
        return await this.attempt(attemptTimeoutMs)
      } catch (caught) {
        const error = this.failed(caught)
        this.error = error
        if (!error.retryable) return this.giveUp(error)
      }
    }
  }

  private giveUp(cause: PosthornError | undefined): void {
    if (this.closed) return
    this.closed = true
    const error =
      cause ?? new PosthornError('POSTHORN_CONNECT_FAILED', 'The broker could not be reached.', { phase: 'connect', retryable: true })
    this.change('down', error)
    this.options.gaveUp(error)
  }

  private unreachable(reason: string | undefined): void {
    if (this.current === undefined) return
    if (reason === undefined) {
      this.change('up', undefined)
      this.options.unblocked()
    } else {
      const text = `${this.options.driver.name} is not reached for now: ${reason}.`
      this.change('connecting', new PosthornError('POSTHORN_CONNECTION_LOST', text, { phase: 'connect', retryable: true }))
    }
  }

  private blocked(reason: string | undefined): void {
    if (this.current === undefined || this.blockedReason === reason) return
    this.blockedReason = reason
    if (reason !== undefined) return this.change('blocked', undefined)
    this.change('up', undefined)
    this.options.unblocked()
  }

  private change(state: ConnectionState, error: PosthornError | undefined): void {
    if (this.state === state) return
    this.state = state
    this.error = error
    this.since = this.clock.now()
    this.options.emit('connection', { state, error })
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
