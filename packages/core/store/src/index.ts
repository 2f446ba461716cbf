export { abandonedAfterMs } from './contract/claims.ts'
export { storeErrorCodes } from './error-codes.ts'
export { gatherClaims, type GatherOptions, type SingleClaims } from './gather-claims.ts'
export { payloadHash } from './payload-hash.ts'
export { isStoreError, StoreError } from './store-error.ts'
export type {
  ClaimAnswer,
  ClaimRequest,
  Claims,
  CompleteRequest,
  HeldClaim,
  ReleaseRequest,
  RenewRequest,
} from './contract/claims.ts'
export type {
  ClaimedMessage,
  Outbox,
  OutboxBatch,
  OutboxDepth,
  OutboxMessage,
  OutboxQuery,
  OutboxRelease,
} from './contract/outbox.ts'
export type {
  DueQuery,
  PutAnswer,
  RecordId,
  RecordQuery,
  Records,
  RecordWrite,
  StoredRecord,
} from './contract/records.ts'
export type {
  Store,
  StoreCapabilities,
  StoreCapability,
  StoreFeature,
  StoreOperations,
} from './contract/store.ts'
export type { StoreErrorCode } from './error-codes.ts'
