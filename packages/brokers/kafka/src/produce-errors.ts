import { PosthornError } from '@posthorn/transport/driver'
import { KafkaError, toKafkaError } from './errors.ts'
import { kafkaErrors } from './protocol/error-names.ts'
import type { ProduceResult } from './protocol/produce.ts'

/** Errors that say that nothing was appended, and may say otherwise later. */
const notAppended: ReadonlySet<number> = new Set([
  kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION,
  kafkaErrors.LEADER_NOT_AVAILABLE,
  kafkaErrors.NOT_LEADER_OR_FOLLOWER,
  kafkaErrors.REPLICA_NOT_AVAILABLE,
  kafkaErrors.NOT_ENOUGH_REPLICAS,
  kafkaErrors.FENCED_LEADER_EPOCH,
  kafkaErrors.UNKNOWN_LEADER_EPOCH,
])

/** Errors that leave open whether it was appended. */
const unclear: ReadonlySet<number> = new Set([
  kafkaErrors.UNKNOWN_SERVER_ERROR,
  kafkaErrors.REQUEST_TIMED_OUT,
  kafkaErrors.NETWORK_EXCEPTION,
  kafkaErrors.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  // The disk has failed, maybe while it was written.
  kafkaErrors.KAFKA_STORAGE_ERROR,
])

/** Errors that some of the records are to blame for. */
const ofRecords: ReadonlySet<number> = new Set([
  kafkaErrors.CORRUPT_MESSAGE,
  kafkaErrors.MESSAGE_TOO_LARGE,
  kafkaErrors.RECORD_LIST_TOO_LARGE,
  kafkaErrors.INVALID_TIMESTAMP,
  kafkaErrors.INVALID_RECORD,
])

/**
 * What became of a batch. `notYet`: it is surely not there, and may be written again. `unclear`: it may be there. The others
 * are surely not there, and never will be as they are: because of some of their `records`, or for another reason.
 */
export type Fate = 'appended' | 'notYet' | 'unclear' | 'records' | 'refused'

export function fateOf({ error, offset }: Pick<ProduceResult, 'error' | 'offset'>): Fate {
  if (error === kafkaErrors.NONE) return 'appended'
  // A leader that has appended it, and then is none any more while it waits for the replicas, says where.
  if (offset >= 0 || unclear.has(error)) return 'unclear'
  if (notAppended.has(error)) return 'notYet'
  return ofRecords.has(error) ? 'records' : 'refused'
}

export function isTooLarge(error: number): boolean {
  return error === kafkaErrors.MESSAGE_TOO_LARGE || error === kafkaErrors.RECORD_LIST_TOO_LARGE
}

/** The outcome of what is refused. */
export function refusal(topic: string, error: number, detail: string | undefined): PosthornError {
  const cause = new KafkaError(error, `Produce to ${topic}`, detail)
  if (!isTooLarge(error)) {
    return toKafkaError(cause, 'a message', { phase: 'publish', outcome: 'rejected' })
  }
  const text = `The topic "${topic}" does not take a message as large as this. Send less, or raise its max.message.bytes.`
  return new PosthornError('POSTHORN_BODY_TOO_LARGE', text, { phase: 'publish', outcome: 'rejected', cause })
}
