import type { Clock } from '../contract/clock.ts'
import type { Driver, DriverConnection } from '../contract/driver.ts'
import type { TransportEvents } from '../contract/events.ts'
import { PosthornError } from '../errors.ts'
import type { BrokerIdentity } from '../requirements.ts'
import { Supervisor } from './supervisor.ts'

export interface SessionOptions<Native> {
  readonly driver: Driver<Native>
  readonly clock: Clock
  readonly namespace: string
  readonly connectTimeoutMs: number
  readonly maxReconnects: number
  /** Milliseconds that work which needs a connection waits for one. */
  readonly patienceMs: number
  emit<Name extends keyof TransportEvents>(name: Name, event: TransportEvents[Name]): void
  /** Sets up what a new connection needs before it counts as up. */
  restore(connection: DriverConnection<Native>): Promise<void>
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
  private readonly waiters = new Set<(error?: PosthornError) => void>()
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
      up: (connection) => this.connected(connection),
      down: (error) => options.lost(error),
      unblocked: () => options.ready(),
      gaveUp: (error) => this.end(error),
    })
  }

  /** The connection, where it is up and takes messages. */
  get writable(): DriverConnection<Native> | undefined {
    return this.supervisor.state === 'up' ? this.supervisor.connection : undefined
  }

  get connection(): DriverConnection<Native> | undefined {
    return this.supervisor.connection
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
    const { state, blockedReason, error } = this.supervisor
    const { name } = this.options.driver
    if (state === 'up') return ''
    if (state === 'blocked') return `, because ${name} takes no messages for now (${blockedReason ?? 'no reason given'})`
    return `, because there is no connection to ${name}${error === undefined ? '' : ` (${error.message})`}`
  }

  live(): DriverConnection<Native> {
    const { connection } = this.supervisor
    if (connection !== undefined) return connection
    throw this.notConnected()
  }

  /** The connection, waiting for one for as long as a send would. */
  async whenConnected(): Promise<DriverConnection<Native>> {
    const { connection } = this.supervisor
    if (connection !== undefined) return connection
    if (this.fatal !== undefined) throw this.fatal
    const { clock, driver, patienceMs } = this.options
    await new Promise<void>((resolve, reject) => {
      const end = (error?: PosthornError): void => {
        this.waiters.delete(end)
        cancel()
        if (error === undefined) resolve()
        else reject(error)
      }
      const cancel = clock.setTimer(() => {
        const text = `No connection to ${driver.name} within ${patienceMs} ms${this.reason}.`
        end(new PosthornError('POSTHORN_TIMEOUT', text, { phase: 'connect', retryable: true }))
      }, patienceMs)
      this.waiters.add(end)
    })
    return this.live()
  }

  /** Nothing will be connected any more. */
  end(error: PosthornError): void {
    this.fatal = error
    this.options.gaveUp(error)
    for (const waiter of [...this.waiters]) waiter(error)
  }

  private async connected(connection: DriverConnection<Native>): Promise<void> {
    const { version, capabilities, native } = connection
    this.identity = { name: this.options.driver.name, version, capabilities, native }
    await this.options.restore(connection)
    // The supervisor says "up" once this has returned; what waits for it goes on right after.
    this.options.clock.defer(() => {
      this.options.ready()
      for (const waiter of [...this.waiters]) waiter()
    })
  }

  private notConnected(): PosthornError {
    const text = `There is no connection to ${this.options.driver.name} for now.`
    return new PosthornError('POSTHORN_CONNECTION_LOST', text, { phase: 'connect', retryable: true })
  }
}
