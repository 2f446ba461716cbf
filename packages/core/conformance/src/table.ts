export { compatibilityTable } from './results/compatibility-table.ts'
export type { BehaviourResult, ConformanceResults, FeatureResult } from './results/conformance-results.ts'
