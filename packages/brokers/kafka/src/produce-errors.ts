import { kafkaErrors } from './protocol/error-names.ts'

/** Errors that say that nothing was appended, and may say otherwise later. */
export const notAppended: ReadonlySet<number> = new Set([
  kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION,
  kafkaErrors.LEADER_NOT_AVAILABLE,
  kafkaErrors.NOT_LEADER_OR_FOLLOWER,
  kafkaErrors.REPLICA_NOT_AVAILABLE,
  kafkaErrors.NOT_ENOUGH_REPLICAS,
  kafkaErrors.KAFKA_STORAGE_ERROR,
  kafkaErrors.FENCED_LEADER_EPOCH,
  kafkaErrors.UNKNOWN_LEADER_EPOCH,
])

/** Errors that leave open whether it was appended. */
export const unclear: ReadonlySet<number> = new Set([
  kafkaErrors.UNKNOWN_SERVER_ERROR,
  kafkaErrors.REQUEST_TIMED_OUT,
  kafkaErrors.NETWORK_EXCEPTION,
  kafkaErrors.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
])
