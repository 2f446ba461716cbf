import type { Clock } from '../contract/clock.ts'
import type { Driver, DriverConnection, DriverHost } from '../contract/driver.ts'
import type { EmitEvent } from '../contract/events.ts'
import { PosthornError } from '../errors.ts'
import { fromDriver, withoutSecrets } from './driver-error.ts'

export interface LinkHost<Native> {
  readonly driver: Driver<Native>
  readonly clock: Clock
  readonly namespace: string
  readonly emit: EmitEvent
  /** The driver says that the session is gone; told once, and only before the transport has ended the link. */
  lost(error: PosthornError): void
  /** The broker is blocked, unreachable, or neither any more. */
  changed(): void
}

/** How long a call may take, and what is said when it took longer. */
export interface CallLimit {
  readonly ms: number
  readonly late: () => PosthornError
}

/**
 * One generation: from the try to connect until the connection's end. What its driver says counts only in between, and
 * whoever waits for an answer of it hears of the end at once, whether or not the driver answers.
 */
export class Link<Native> {
  blockedReason: string | undefined
  unreachableReason: string | undefined
  /** Epoch milliseconds since which it is set up and counts as a connection. */
  readySince: number | undefined
  private readonly host: LinkHost<Native>
  private readonly waiting = new Set<(error: PosthornError) => void>()
  private readonly abort = new AbortController()
  private live: DriverConnection<Native> | undefined
  private ended: PosthornError | undefined
  private closing: Promise<void> | undefined

  constructor(host: LinkHost<Native>) {
    this.host = host
  }

  /** Why it is over, once it is. */
  get over(): PosthornError | undefined {
    return this.ended
  }

  /** The connection, from the driver's answer until the end. */
  get connection(): DriverConnection<Native> | undefined {
    return this.ended === undefined ? this.live : undefined
  }

  /** Connects. After `limitMs` it is over; a connection that comes later is closed. */
  open(limitMs: number): Promise<DriverConnection<Native>> {
    const { driver } = this.host
    return this.run(
      async () => {
        const connection = await this.connect(driver)
        if (this.ended === undefined) this.live = connection
        else void closeQuietly(connection)
        return connection
      },
      this.fatal(
        limitMs,
        `${driver.name} did not answer within ${limitMs} ms. Check the address, and that the broker is up.`,
      ),
    )
  }

  private async connect(driver: Driver<Native>): Promise<DriverConnection<Native>> {
    try {
      return await driver.connect(this.driverHost())
    } catch (error) {
      throw fromDriver(error, 'POSTHORN_CONNECT_FAILED', { phase: 'connect', retryable: true })
    }
  }

  /** Sets up what a new connection needs. After `limitMs` it is over. */
  setUp(work: () => Promise<void>, limitMs: number): Promise<void> {
    const { name } = this.host.driver
    return this.run(
      work,
      this.fatal(limitMs, `Setting up a new connection to ${name} took longer than ${limitMs} ms.`),
    )
  }

  /** Asks the connection something; see `run`. */
  async ask<Result>(
    call: (connection: DriverConnection<Native>) => Promise<Result>,
    limit?: CallLimit,
  ): Promise<Result> {
    const { connection } = this
    if (connection === undefined)
      throw this.ended ?? new PosthornError('POSTHORN_DEFECT', 'Asked before it was connected.')
    return this.run(() => call(connection), limit)
  }

  /** Waits for an answer of the driver, until the limit or the end of the link. */
  run<Result>(call: () => Promise<Result>, limit?: CallLimit): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.ended !== undefined) return reject(this.ended)
      let cancel = (): void => {}
      const fail = (error: PosthornError): void => {
        this.waiting.delete(fail)
        cancel()
        reject(error)
      }
      if (limit !== undefined) cancel = this.host.clock.setTimer(() => fail(limit.late()), limit.ms)
      this.waiting.add(fail)
      // A driver that throws, where it should reject, is heard all the same.
      const answer = (async () => call())()
      answer.then(
        (result) => {
          this.waiting.delete(fail)
          cancel()
          resolve(result)
        },
        // Where it failed because the link is ending, that is told first: whoever tries again at once would find it there.
        (error: unknown) =>
          this.host.clock.defer(() =>
            fail(fromDriver(error, 'POSTHORN_BROKER_ERROR', { phase: 'connect', retryable: true })),
          ),
      )
    })
  }

  /** From now on nothing that the driver says counts. The connection, if there is one, is the caller's to close. */
  end(error: PosthornError): void {
    if (this.ended !== undefined) return
    this.ended = error
    if (this.live === undefined) this.abort.abort(error)
    for (const fail of [...this.waiting]) fail(error)
  }

  /** Closes the connection, once; after `end`. Never rejects. */
  close(): Promise<void> {
    this.closing ??= this.live === undefined ? Promise.resolve() : closeQuietly(this.live)
    return this.closing
  }

  private fatal(ms: number, text: string): CallLimit {
    return {
      ms,
      late: () => {
        const error = new PosthornError('POSTHORN_CONNECT_FAILED', text, {
          phase: 'connect',
          retryable: true,
        })
        this.end(error)
        return error
      },
    }
  }

  private driverHost(): DriverHost {
    const { host } = this
    return {
      clock: host.clock,
      namespace: host.namespace,
      signal: this.abort.signal,
      emit: (name, event) => {
        if (this.ended === undefined) host.emit(name, event)
      },
      lost: (thrown) => {
        if (this.ended !== undefined) return
        const error = passing(fromDriver(thrown, 'POSTHORN_CONNECTION_LOST', { phase: 'connect' }))
        this.end(error)
        host.lost(error)
      },
      blocked: (reason) => {
        if (this.ended !== undefined || this.blockedReason === reason) return
        this.blockedReason = shown(reason)
        host.changed()
      },
      unreachable: (reason) => {
        if (this.ended !== undefined || this.unreachableReason === reason) return
        this.unreachableReason = shown(reason)
        host.changed()
      },
    }
  }
}

/** However a connection or its set-up ended: another one is tried, and only its `connect` can say that this is in vain. */
export function passing(error: PosthornError): PosthornError {
  if (error.retryable) return error
  return new PosthornError(error.code, error.message, { phase: 'connect', retryable: true, cause: error })
}

function shown(reason: string | undefined): string | undefined {
  return reason === undefined ? undefined : withoutSecrets(reason)
}

/** The contract forbids `close` to reject; a driver that does so all the same harms nobody. */
async function closeQuietly(connection: DriverConnection): Promise<void> {
  try {
    await connection.close()
  } catch {
    // Nothing can be done about a connection that is given up.
  }
}
