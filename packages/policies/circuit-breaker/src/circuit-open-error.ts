import { PosthornError, type ErrorPhase } from '@posthorn/transport'

/** Nothing was tried, since the breaker is open. */
export class CircuitOpenError extends PosthornError {
  readonly breaker: string
  /** Milliseconds until trial calls begin, as far as that is known. `retry()` of `@posthorn/dlq-retry` waits for so long. */
  readonly retryAfterMs: number | undefined

  constructor(breaker: string, why: string, retryAfterMs: number | undefined, phase: ErrorPhase) {
    const when = retryAfterMs === undefined ? 'Try again later' : `Try again after ${retryAfterMs} ms`
    super(
      'POSTHORN_CIRCUIT_OPEN',
      `The circuit breaker "${breaker}" is ${why}, so nothing was tried. ${when}.`,
      {
        phase,
        retryable: true,
        ...(phase === 'publish' ? { outcome: 'rejected' } : {}),
      },
    )
    this.breaker = breaker
    this.retryAfterMs = retryAfterMs
  }
}
