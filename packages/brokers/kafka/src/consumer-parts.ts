import type { Cluster } from './cluster.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { KafkaSettings } from './options.ts'
import type { Publisher } from './publisher.ts'
import type { DriverHost } from '@posthorn/transport/driver'

/** What consumers and passes need of their connection. */
export interface ConsumerParts {
  readonly cluster: Cluster
  readonly publisher: Publisher
  readonly dispatcher: Dispatcher
  readonly settings: KafkaSettings
  readonly host: Pick<DriverHost, 'clock' | 'namespace' | 'emit'>
  /** A number that no other consumer of this connection has. */
  readonly nextSerial: () => number
}
