import type { Metrics } from '@posthorn/metrics'
import type { StopOptions, StopReport, Transport } from '@posthorn/transport'

/** What each service is started with. */
export interface ServiceParts {
  readonly transport: Transport
  /** Of its process. */
  readonly metrics: Metrics
  /** The shop's log, as far as there is one. */
  readonly log: (event: 'breakerOpened') => void
}

/** What runs until it is told to end. */
export interface Service {
  stop(options?: StopOptions): Promise<Pick<StopReport, 'unfinished'> | void>
}
