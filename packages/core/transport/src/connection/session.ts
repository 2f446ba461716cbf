import type { Clock } from '../contract/clock.ts'
import type { Driver, DriverConnection } from '../contract/driver.ts'
import type { EmitEvent } from '../contract/events.ts'
import { PosthornError } from '../errors.ts'
import type { BrokerIdentity } from '../requirements.ts'
import type { Link } from './link.ts'
import { Supervisor } from './supervisor.ts'

export interface SessionOptions<Native> {
  readonly driver: Driver<Native>
  readonly clock: Clock
  readonly namespace: string
  readonly connectTimeoutMs: number
  readonly maxReconnects: number
  /** Milliseconds that work which needs a connection waits for one, and then for its answer. */
  readonly patienceMs: number
  readonly emit: EmitEvent
  /** Sets up what a new connection needs before it counts as up. */
  restore(link: Link<Native>): Promise<void>
  /** The connection takes messages again. */
  ready(): void
  lost(error: PosthornError): void
  gaveUp(error: PosthornError): void
}

/** The transport's side of its connection: what is known of the broker, and waiting for a connection to be there. */
export class Session<Native> {
  readonly supervisor: Supervisor<Native>
  /** Why there will be no connection any more. */
  fatal: PosthornError | undefined
  private readonly options: SessionOptions<Native>
  private readonly waiters = new Set<(link: Link<Native> | PosthornError) => void>()
  private identity: (BrokerIdentity & { readonly native: Native }) | undefined

  constructor(options: SessionOptions<Native>) {
    this.options = options
    this.supervisor = new Supervisor({
      driver: options.driver,
      clock: options.clock,
      namespace: options.namespace,
      connectTimeoutMs: options.connectTimeoutMs,
      maxReconnects: options.maxReconnects,
      emit: options.emit,
      up: (link) => this.connected(link),
      down: (error) => options.lost(error),
      changed: () => this.changed(),
      gaveUp: (error) => this.end(error),
    })
  }

  /** The connection, where it is up and takes messages. */
  get writable(): DriverConnection<Native> | undefined {
    const { supervisor } = this
    return supervisor.state === 'up' ? supervisor.current?.connection : undefined
  }

  /** The connection, also while it is being set up. */
  get connection(): DriverConnection<Native> | undefined {
    return this.supervisor.current?.connection
  }

  /** What the broker is and can do, as of the latest connection. */
  get broker(): BrokerIdentity & { readonly native: Native } {
    if (this.identity !== undefined) return this.identity
    throw this.notConnected()
  }

  /** The server's, as of the latest connection; `undefined` where it does not tell. */
  get version(): string | undefined {
    return this.identity?.version
  }

  /** For the end of a sentence; empty when nothing is wrong. */
  get reason(): string {
    const { state, reason } = this.supervisor
    const { name } = this.options.driver
    if (state === 'up') return ''
    if (state === 'blocked')
      return `, because ${name} takes no messages for now (${reason ?? 'no reason given'})`
    return `, because there is no connection to ${name}${reason === undefined ? '' : ` (${reason})`}`
  }

  /** The connection, waiting for one for as long as a send would. */
  async whenConnected(): Promise<Link<Native>> {
    const { usable } = this.supervisor
    if (usable !== undefined) return usable
    if (this.fatal !== undefined) throw this.fatal
    const { clock, driver, patienceMs } = this.options
    return new Promise((resolve, reject) => {
      const end = (outcome: Link<Native> | PosthornError): void => {
        this.waiters.delete(end)
        cancel()
        if (outcome instanceof PosthornError) reject(outcome)
        else resolve(outcome)
      }
      const cancel = clock.setTimer(() => {
        const text = `No connection to ${driver.name} within ${patienceMs} ms${this.reason}.`
        end(new PosthornError('POSTHORN_TIMEOUT', text, { phase: 'connect', retryable: true }))
      }, patienceMs)
      this.waiters.add(end)
    })
  }

  /**
   * Asks the broker something, also while the connection is being set up. Ends with the connection, or after `limitMs`;
   * `what` is the question, for the error.
   */
  async ask<Result>(
    what: string,
    call: (connection: DriverConnection<Native>) => Promise<Result>,
    link: Link<Native> | undefined = this.supervisor.current,
    limitMs: number = this.options.patienceMs,
  ): Promise<Result> {
    if (link === undefined) throw this.fatal ?? this.notConnected()
    return link.ask(call, {
      ms: limitMs,
      late: () => {
        const text = `${this.options.driver.name} did not answer ${what} within ${limitMs} ms. It may have been done.`
        return new PosthornError('POSTHORN_TIMEOUT', text, { phase: 'declare', retryable: true })
      },
    })
  }

  /** Nothing will be connected any more. */
  end(error: PosthornError): void {
    this.fatal = error
    this.options.gaveUp(error)
    for (const waiter of [...this.waiters]) waiter(error)
  }

  private async connected(link: Link<Native>): Promise<void> {
    const { connection } = link
    if (connection === undefined) return
    const { version, capabilities, native } = connection
    this.identity = { name: this.options.driver.name, version, capabilities, native }
    await this.options.restore(link)
  }

  private changed(): void {
    const { usable, state } = this.supervisor
    if (state === 'up') this.options.ready()
    if (usable !== undefined) for (const waiter of [...this.waiters]) waiter(usable)
  }

  private notConnected(): PosthornError {
    const text = `There is no connection to ${this.options.driver.name} for now.`
    return new PosthornError('POSTHORN_CONNECTION_LOST', text, { phase: 'connect', retryable: true })
  }
}
