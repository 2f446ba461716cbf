export { createTransport } from './create-transport.ts'
export { reconnectDelay } from './connection/backoff.ts'
export { systemClock } from './clock/system-clock.ts'
export { isPosthornError, PosthornError, toPosthornError, withOutcome } from './errors.ts'
export type { PosthornErrorDetails } from './errors.ts'
export { createIdFactory, deriveId } from './message/create-id.ts'
export { noBody } from './message/no-body.ts'
export { readEnvelope } from './message/read-envelope.ts'
export { writeEnvelope } from './message/wire-headers.ts'
export { transportRules } from './options/transport-rules.ts'
export { checkName, sourceName } from './routing/names.ts'
export { createRouter } from './routing/pattern.ts'
export type {
  BrokerLimits,
  Capabilities,
  Capability,
  Feature,
  LeaseCapability,
} from './contract/capabilities.ts'
export type { Clock } from './contract/clock.ts'
export type { DeadLetterRecord } from './contract/dead-letters.ts'
export type { Depth } from './contract/depth.ts'
export type {
  ConsumeRequest,
  DeadLetterDecision,
  DeadLetterEntry,
  DeadLetterPass,
  Delivery,
  DeliverySink,
  Destination,
  Driver,
  DriverConnection,
  DriverConsumer,
  DriverHost,
  PublishOutcome,
  Scope,
  SettleItem,
  SettleOutcome,
  SettleVerb,
  Source,
} from './contract/driver.ts'
export type {
  DeclareMode,
  PlanItem,
  QueueDeclaration,
  SubscriptionDeclaration,
  Topology,
} from './contract/topology.ts'
export type { MessageHeaders, WireMessage } from './contract/wire-message.ts'
