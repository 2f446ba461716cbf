import type { CapabilityLevel, Feature } from '@posthorn/transport'

/** What became of one behaviour; see `Outcome`. */
export interface BehaviourResult {
  readonly id: string
  readonly sentence: string
  readonly result: 'shown' | 'refused' | 'declared' | 'not shown' | 'failed'
  readonly reason?: string
}

/** What a broker declares of a feature, and what the behaviours that need it have shown of it. */
export interface FeatureResult {
  readonly level: CapabilityLevel
  readonly result: 'shown' | 'refused' | 'declared' | 'not shown' | 'failed'
  readonly guarantee?: string
  readonly limits?: Readonly<Record<string, number>>
  readonly cost?: string
  readonly since?: string
  readonly alternative?: string
}

/** One run of the suite over one broker, as it is written to disk. */
export interface ConformanceResults {
  readonly format: 1
  /** Of the run: `memory`, `rabbitmq-4.1`. */
  readonly name: string
  readonly broker: string
  /** The server's version, where it tells. */
  readonly version?: string
  /** Of the run; `2026-11-24`. */
  readonly date: string
  readonly lease: { readonly scope: 'delivery' | 'session'; readonly durationMs?: number }
  readonly features: Readonly<Partial<Record<Feature, FeatureResult>>>
  readonly behaviours: readonly BehaviourResult[]
}
