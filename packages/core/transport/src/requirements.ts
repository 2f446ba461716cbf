import type { Capabilities, Feature } from './contract/capabilities.ts'
import type { Topology } from './contract/topology.ts'
import { PosthornError } from './errors.ts'

/** Who is asked, for errors. */
export interface BrokerIdentity {
  readonly name: string
  readonly version: string | undefined
  readonly capabilities: Capabilities
}

/** Its name and version, for errors. */
export function describeBroker({ name, version }: Pick<BrokerIdentity, 'name' | 'version'>): string {
  return version === undefined ? name : `${name} ${version}`
}

/** Refuses what the broker cannot do, naming it, its version and the alternative. */
export function requireFeature(
  broker: BrokerIdentity,
  feature: Feature,
  asked: string,
  phase: 'declare' | 'publish' = 'declare',
): void {
  const capability = broker.capabilities.features[feature]
  if (capability.level !== 'unsupported') return
  const alternative = capability.alternative === undefined ? '' : ` Instead: ${capability.alternative}`
  throw new PosthornError(
    'POSTHORN_UNSUPPORTED',
    `${asked} needs ${feature}, which ${describeBroker(broker)} does not have.${alternative}`,
    {
      phase,
      ...(phase === 'publish' ? { outcome: 'rejected' } : {}),
    },
  )
}

/** Refuses a topology that asks for what the broker cannot do. */
export function requireTopology(broker: BrokerIdentity, { queues = [], subscriptions = [] }: Topology): void {
  for (const one of [...queues, ...subscriptions]) {
    if ((one.maxMessages ?? one.maxBytes) !== undefined)
      requireFeature(broker, 'boundedQueues', 'A bound on a queue')
    if (one.order === 'key') requireFeature(broker, 'keyOrder', "A declaration with order: 'key'")
  }
  if (queues.some((queue) => queue.deduplicationWindowMs !== undefined)) {
    requireFeature(broker, 'deduplication', 'A queue with deduplicationWindowMs')
  }
  for (const { from } of subscriptions) {
    if (from === 'earliest') requireFeature(broker, 'fromEarliest', "A subscription with from: 'earliest'")
    if (from instanceof Date) requireFeature(broker, 'fromTime', 'A subscription with a date as from')
  }
}
