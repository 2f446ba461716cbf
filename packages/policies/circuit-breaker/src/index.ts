export { createBreaker } from './create-breaker.ts'
export { CircuitOpenError } from './circuit-open-error.ts'
export type {
  Breaker,
  BreakerConsumeOptions,
  BreakerCounts,
  BreakerHealth,
  BreakerPublishOptions,
  ExecuteCall,
  ExecuteOptions,
} from './breaker.ts'
export type { BreakerOptions } from './breaker-options.ts'
export type { BreakerChange, BreakerStateName, WindowCounts } from './breaker-state.ts'
