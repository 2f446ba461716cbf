import type { Capabilities, Feature } from './contract/capabilities.ts'
import { PosthornError } from './errors.ts'

/** Who is asked, for errors. */
export interface BrokerIdentity {
  readonly name: string
  readonly version: string | undefined
  readonly capabilities: Capabilities
}

/** Refuses what the broker cannot do, naming it, its version and the alternative. */
export function requireFeature(broker: BrokerIdentity, feature: Feature, asked: string): void {
  const capability = broker.capabilities.features[feature]
  if (capability.level !== 'unsupported') return
  const where = broker.version === undefined ? broker.name : `${broker.name} ${broker.version}`
  const alternative = capability.alternative === undefined ? '' : ` Instead: ${capability.alternative}`
  throw new PosthornError('POSTHORN_UNSUPPORTED', `${asked} needs ${feature}, which ${where} does not have.${alternative}`, {
    phase: 'declare',
    outcome: 'rejected',
  })
}
