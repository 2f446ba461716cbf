export { createTransport } from './create-transport.ts'
export { connect } from './connect.ts'
export type { ConnectOptions } from './connect.ts'
export { errorCodes } from './error-codes.ts'
export type { ErrorCode } from './error-codes.ts'
export { isPosthornError, PartialPublishError, PosthornError } from './errors.ts'
export type { ErrorPhase, FailedOutcome } from './errors.ts'
export { ackWith, isSettlement } from './consume/settlement.ts'
export { deriveId } from './message/create-id.ts'
export { exponential, fixed, list } from './consume/retry-delay.ts'
export type { ExponentialOptions, RetryDelay } from './consume/retry-delay.ts'
export { jsonCodec, rawCodec } from './codec/json-codec.ts'
export { createMatcher, matchesPattern } from './routing/pattern.ts'
export type { Capabilities, Capability, CapabilityLevel, Feature } from './contract/capabilities.ts'
export type { Clock } from './contract/clock.ts'
export type { Codec, EncodedBody } from './contract/codec.ts'
export type {
  BatchConsumeOptions,
  ConsumeOptions,
  DurableSubscription,
  EphemeralSubscription,
  SubscriptionOptions,
} from './contract/consume-options.ts'
export type { Consumer, Inbox, PauseOptions, StopOptions, StopReport } from './contract/consumer.ts'
export type { Context, Lease } from './contract/context.ts'
export type {
  DeadLetter,
  DeadLetterChoice,
  DeadLetterEdit,
  DeadLetterPage,
  DeadLetters,
  PassOptions,
  PassReport,
} from './contract/dead-letter-tools.ts'
export type { DeadLetterRecord } from './contract/dead-letters.ts'
export type { Depth } from './contract/depth.ts'
export type { MessageRef, TransportEvents } from './contract/events.ts'
export type { ConnectionState, ConsumerHealth, Health } from './contract/health.ts'
export type { Message, OutgoingMessage, SendOptions } from './contract/message.ts'
export type {
  BatchContext,
  BatchHandler,
  Handler,
  HandlerOutput,
  Middleware,
  MiddlewareFacts,
  MiddlewarePhase,
  MiddlewareRuntime,
  Next,
  PublishBatch,
  PublishMiddleware,
  SettlementBegins,
  SettlementEnds,
} from './contract/middleware.ts'
export type { Settlement } from './contract/settlement.ts'
export type {
  DeclareMode,
  PlanItem,
  QueueDeclaration,
  SubscriptionDeclaration,
  TopicDeclaration,
  Topology,
} from './contract/topology.ts'
export type {
  CloseOnSignalsOptions,
  CloseOptions,
  CloseReport,
  SourceRef,
  Transport,
} from './contract/transport.ts'
export type { TransportOptions } from './contract/transport-options.ts'
export type { MessageHeaders } from './contract/wire-message.ts'
