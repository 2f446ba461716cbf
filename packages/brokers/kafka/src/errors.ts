import { isPosthornError, PosthornError } from '@posthorn/transport/driver'
import { errorName, kafkaErrors } from './protocol/error-names.ts'
import type { PosthornErrorDetails } from '@posthorn/transport/driver'

type Details = Pick<PosthornErrorDetails, 'phase' | 'outcome'>

/** A request that has no answer. */
export class NoAnswer extends Error {
  /** Whether the node may have read it. */
  readonly isWritten: boolean

  constructor(text: string, isWritten: boolean, cause?: unknown) {
    super(text, cause === undefined ? undefined : { cause })
    this.isWritten = isWritten
  }
}

/** An answer that is an error of Kafka's. */
export class KafkaError extends Error {
  /** Its number in the protocol. */
  readonly kafkaCode: number

  constructor(kafkaCode: number, what: string, detail = '') {
    super(`Kafka answers ${errorName(kafkaCode)} to ${what}${detail === '' ? '' : `: ${detail}`}`)
    this.kafkaCode = kafkaCode
  }
}

/** Throws unless the code is that of no error. */
export function throwOnError(code: number, what: string, detail?: string): void {
  if (code !== kafkaErrors.NONE) throw new KafkaError(code, what, detail)
}

/** The text of whatever was thrown. Never throws. */
export function describeError(error: unknown): string {
  try {
    return (error instanceof Error ? error.message || error.name : String(error)).slice(0, 1_000)
  } catch {
    return 'an error that cannot be shown'
  }
}

/** Any failure of an operation on a live connection as ours. `what` is the object or operation, for people. Never throws. */
export function toKafkaError(error: unknown, what: string, details: Details = {}): PosthornError {
  if (isPosthornError(error)) return error
  const text = describeError(error)
  if (!(error instanceof KafkaError)) {
    return new PosthornError('POSTHORN_CONNECTION_LOST', `Kafka was asked about ${what}: ${text}.`, {
      ...details,
      retryable: true,
      cause: error,
    })
  }
  switch (error.kafkaCode) {
    case kafkaErrors.TOPIC_AUTHORIZATION_FAILED:
    case kafkaErrors.GROUP_AUTHORIZATION_FAILED:
    case kafkaErrors.CLUSTER_AUTHORIZATION_FAILED:
      return new PosthornError('POSTHORN_ACCESS_DENIED', `${text}. Give the user the permission.`, {
        ...details,
        cause: error,
      })
    case kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION:
      return topologyMissing(what, error)
    default:
      return new PosthornError('POSTHORN_BROKER_ERROR', `${text} (${what}).${adviceFor(error)}`, {
        ...details,
        retryable: !isFinal.has(error.kafkaCode),
        cause: error,
      })
  }
}

/** What to change where the brokers do not allow an option's value. */
const advice: ReadonlyMap<number, string> = new Map([
  [kafkaErrors.INVALID_REPLICATION_FACTOR, 'Ask for fewer replicas, or add brokers.'],
  [
    kafkaErrors.INVALID_SESSION_TIMEOUT,
    "Give a sessionTimeoutMs from the brokers' group.min.session.timeout.ms to their group.max.session.timeout.ms.",
  ],
])

function adviceFor({ kafkaCode }: KafkaError): string {
  const text = advice.get(kafkaCode)
  return text === undefined ? '' : ` ${text}`
}

const isFinal: ReadonlySet<number> = new Set([
  kafkaErrors.INVALID_TOPIC_EXCEPTION,
  kafkaErrors.INVALID_PARTITIONS,
  kafkaErrors.INVALID_REPLICATION_FACTOR,
  kafkaErrors.INVALID_CONFIG,
  kafkaErrors.POLICY_VIOLATION,
  kafkaErrors.INVALID_SESSION_TIMEOUT,
  kafkaErrors.MESSAGE_TOO_LARGE,
  kafkaErrors.INVALID_TIMESTAMP,
  kafkaErrors.INVALID_RECORD,
])

export function topologyMissing(what: string, cause?: unknown): PosthornError {
  const text = `${what} does not exist. Declare it first, or use the topology mode "create".`
  return new PosthornError('POSTHORN_TOPOLOGY_MISSING', text, { phase: 'declare', cause })
}

export function topologyMismatch(
  what: string,
  argument: string,
  wanted: unknown,
  found: unknown,
): PosthornError {
  const text = `${what} exists with another ${argument}: ${String(found)}, not ${String(wanted)}. Declare it as it is, or use the topology mode "none".`
  return new PosthornError('POSTHORN_TOPOLOGY_MISMATCH', text, { phase: 'declare' })
}

export function leaseLost(scope: string, reason: string): PosthornError {
  const text = `${scope} is not this consumer's any more: ${reason}. What it held may be handled twice.`
  return new PosthornError('POSTHORN_LEASE_LOST', text, { phase: 'settle' })
}

export function consumerEnded(source: string, reason: string, retryable: boolean): PosthornError {
  const text = `The consumer of "${source}" has ended: ${reason}.`
  return new PosthornError('POSTHORN_CONSUMER_ENDED', text, { phase: 'receive', retryable })
}

export function deadLettersBusy(source: string): PosthornError {
  const text = `Another pass over the dead letters of "${source}" is open. Close it, or wait until its session is over.`
  return new PosthornError('POSTHORN_DEAD_LETTERS_BUSY', text, { phase: 'receive', retryable: true })
}

export function deadLettersLost(source: string): PosthornError {
  const text = `The pass over the dead letters of "${source}" is somebody else's now. Open another one.`
  return new PosthornError('POSTHORN_DEAD_LETTERS_LOST', text, { phase: 'receive', retryable: true })
}

/** Not written, so surely not there. */
export function notWritten(reason: string, cause?: unknown): PosthornError {
  const text = `The message was not written: ${reason}. Send again later.`
  return new PosthornError('POSTHORN_CONNECTION_LOST', text, {
    phase: 'publish',
    outcome: 'rejected',
    retryable: true,
    cause,
  })
}

/** Written, and nobody knows what became of it. */
export function notConfirmed(reason: string, cause?: unknown): PosthornError {
  const text = `The message was written, and not confirmed: ${reason}. Send again with the same id.`
  return new PosthornError('POSTHORN_CONNECTION_LOST', text, {
    phase: 'publish',
    outcome: 'unknown',
    retryable: true,
    cause,
  })
}

export function timedOut(outcome: 'rejected' | 'unknown'): PosthornError {
  const text =
    outcome === 'rejected'
      ? 'The message could not be written in time. Send again later, or allow more time.'
      : 'The message was written, and not confirmed in time. Send again with the same id.'
  return new PosthornError('POSTHORN_TIMEOUT', text, { phase: 'publish', outcome, retryable: true })
}

export function unroutable(queue: string): PosthornError {
  const text = `There is no queue "${queue}". Declare it first, or use the topology mode "create".`
  return new PosthornError('POSTHORN_UNROUTABLE', text, { phase: 'publish', outcome: 'rejected' })
}
