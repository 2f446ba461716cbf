import { reconnectDelay } from '../connection/backoff.ts'
import { fromDriver } from '../connection/driver-error.ts'
import type { Clock } from '../contract/clock.ts'
import { withOutcome, type PosthornError } from '../errors.ts'
import type { Line } from './lines.ts'

export interface LineDeclarerHost {
  readonly clock: Clock
  /** The line may be written, or its declaration tried again. */
  ready(line: Line): void
  /** Its messages cannot be sent. */
  refused(line: Line, error: PosthornError): void
}

/** So often the wait for the next try doubles. */
const longestWait = 6

/** Holds a line back while its destination is declared, and tries again what may pass. */
export class LineDeclarer {
  private readonly host: LineDeclarerHost

  constructor(host: LineDeclarerHost) {
    this.host = host
  }

  wait(line: Line, declaring: Promise<void>): void {
    line.declaring = true
    declaring.then(
      () => {
        line.failures = 0
        line.failure = undefined
        this.tryNow(line)
      },
      (error: unknown) => {
        this.failed(line, fromDriver(error, 'POSTHORN_BROKER_ERROR', { phase: 'declare', retryable: true }))
      },
    )
  }

  /** Ends the wait for the next try, if it waits for one. */
  hurry(line: Line): void {
    if (line.cancelRetry !== undefined) this.tryNow(line)
  }

  private failed(line: Line, error: PosthornError): void {
    if (!error.retryable) {
      line.declaring = false
      return this.host.refused(line, withOutcome(error, 'rejected'))
    }
    // What may pass is tried again until the sends run out of time; anything else is their answer.
    line.failure = error
    line.failures = Math.min(line.failures + 1, longestWait)
    if (line.empty) return this.tryNow(line)
    const delayMs = reconnectDelay(line.failures, () => this.host.clock.random())
    line.cancelRetry = this.host.clock.setTimer(() => this.tryNow(line), delayMs)
  }

  private tryNow(line: Line): void {
    line.cancelRetry?.()
    line.cancelRetry = undefined
    line.declaring = false
    this.host.ready(line)
  }
}
