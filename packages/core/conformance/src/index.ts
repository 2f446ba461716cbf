export { describeStore, runStoreBehaviour, storeBehaviours } from './store/index.ts'
export { behaviours } from './behaviours/all.ts'
export { describeTransport } from './describe-transport.ts'
export { runBehaviour } from './run-behaviour.ts'
export type { Area, Behaviour, Needs } from './behaviour.ts'
export type { Bench } from './bench/bench.ts'
export type {
  CannotHappen,
  FaultName,
  Faults,
  ForeignMessage,
  OpenOptions,
  TransportHarness,
  TransportUnderTest,
} from './harness.ts'
export type { Outcome } from './run-behaviour.ts'
export type {
  OpenTransaction,
  StoreArea,
  StoreBehaviour,
  StoreHarness,
  StoreOutcome,
  StoreUnderTest,
} from './store/index.ts'
