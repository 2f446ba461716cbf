import type { Capabilities, Capability, Feature } from '@posthorn/transport'
import type { Behaviour } from '../behaviour.ts'
import type { Outcome } from '../run-behaviour.ts'
import type { BehaviourResult, ConformanceResults, FeatureResult } from './conformance-results.ts'

/** The broker that a run was made against. */
export interface Subject {
  readonly name: string
  readonly broker: string
  readonly version: string | undefined
  readonly capabilities: Capabilities
  /** Epoch milliseconds. */
  readonly ranAt: number
}

/** The results of a run, from the outcome of each behaviour. */
export function summarise(
  subject: Subject,
  outcomes: readonly { readonly behaviour: Behaviour; readonly outcome: Outcome }[],
): ConformanceResults {
  const { name, broker, version, capabilities, ranAt } = subject
  const behaviours = outcomes.map(({ behaviour, outcome }): BehaviourResult => {
    const { id, sentence } = behaviour
    const reason = 'reason' in outcome ? { reason: outcome.reason } : {}
    return { id, sentence, result: outcome.result, ...reason }
  })
  const features: Partial<Record<Feature, FeatureResult>> = {}
  for (const [feature, capability] of Object.entries(capabilities.features) as [Feature, Capability][]) {
    const results = outcomes
      .filter(({ behaviour }) => behaviour.needs?.features?.includes(feature))
      .map(({ outcome }) => outcome.result)
    features[feature] = { ...capability, result: featureResult(capability, results) }
  }
  const { scope, durationMs } = capabilities.lease
  return {
    format: 1,
    name,
    broker,
    ...(version === undefined ? {} : { version }),
    date: new Date(ranAt).toISOString().slice(0, 10),
    lease: { scope, ...(durationMs === undefined ? {} : { durationMs }) },
    features,
    behaviours,
  }
}

function featureResult(
  capability: Capability,
  results: readonly Outcome['result'][],
): FeatureResult['result'] {
  if (results.includes('failed')) return 'failed'
  if (capability.level === 'unsupported') return results.includes('refused') ? 'refused' : 'declared'
  return results.includes('shown') ? 'shown' : 'not shown'
}
