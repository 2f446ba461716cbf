import { describeError, KafkaError } from './errors.ts'
import { kafkaErrors } from './protocol/error-names.ts'

/** Whether the broker has given up this member. */
export function isFenced(error: number): boolean {
  return (
    error === kafkaErrors.UNKNOWN_MEMBER_ID ||
    error === kafkaErrors.ILLEGAL_GENERATION ||
    error === kafkaErrors.FENCED_INSTANCE_ID
  )
}

/** Whether joining again is of no use. */
export function isFinal(error: unknown): boolean {
  if (!(error instanceof KafkaError)) return describeError(error).includes('another language')
  return (
    error.kafkaCode === kafkaErrors.INCONSISTENT_GROUP_PROTOCOL ||
    error.kafkaCode === kafkaErrors.GROUP_AUTHORIZATION_FAILED ||
    error.kafkaCode === kafkaErrors.INVALID_SESSION_TIMEOUT ||
    error.kafkaCode === kafkaErrors.GROUP_MAX_SIZE_REACHED
  )
}
