import type { Destination } from '../contract/driver.ts'
import { fromDriver } from '../connection/driver-error.ts'
import { isPosthornError, PosthornError } from '../errors.ts'
import type { InFlightBound } from './in-flight-bound.ts'
import type { Pending } from './pending.ts'

export function backpressure(broker: string, destination: Destination, bound: InFlightBound): PosthornError {
  return new PosthornError(
    'POSTHORN_BACKPRESSURE',
    `${bound.count} messages (${bound.bytes} bytes) are in flight to ${broker} and ${bound.waiters} wait; ` +
      `"${destination.name}" takes no more for now. Await earlier sends, or raise maxInFlight or maxInFlightBytes.`,
    { phase: 'publish', retryable: true, outcome: 'rejected' },
  )
}

/** `reason` is why it was not written, for the end of a clause. */
export function timedOut(pending: Pending, reason: string): PosthornError {
  return new PosthornError('POSTHORN_TIMEOUT', endedBefore(pending, 'ran out of time', reason), {
    phase: 'publish',
    retryable: true,
    outcome: pending.written ? 'unknown' : 'rejected',
  })
}

/** The rest of a batch whose beginning has taken all of its time. */
export function tooLate(destination: Destination): PosthornError {
  const text = `Sending to "${destination.name}" ran out of time with earlier messages of its batch; it is not there.`
  return new PosthornError('POSTHORN_TIMEOUT', text, {
    phase: 'publish',
    retryable: true,
    outcome: 'rejected',
  })
}

export function aborted(pending: Pending, reason: string, cause: unknown): PosthornError {
  return new PosthornError('POSTHORN_ABORTED', endedBefore(pending, 'was aborted', reason), {
    phase: 'publish',
    outcome: pending.written ? 'unknown' : 'rejected',
    cause,
  })
}

function endedBefore({ destination, wire, written }: Pending, what: string, reason: string): string {
  const state = written
    ? `after it was written, so it may be there: send it again with the same id (${wire.id}).`
    : `before it was written${reason}; it is not there.`
  return `Sending to "${destination.name}" ${what} ${state}`
}

/** What was handed to a connection that ended before it answered. */
export function unanswered(broker: string, { wire }: Pending, error: PosthornError): PosthornError {
  const isClosed = error.code === 'POSTHORN_CLOSED'
  const what = isClosed ? 'was closed before it answered.' : `was lost before it answered: ${error.message}`
  return new PosthornError(
    isClosed ? 'POSTHORN_CLOSED' : 'POSTHORN_CONNECTION_LOST',
    `The connection to ${broker} ${what} The message may be there: send it again with the same id (${wire.id}).`,
    { phase: 'publish', retryable: !isClosed, outcome: 'unknown', cause: error },
  )
}

/** A driver that rejects a batch as a whole, or answers short or with something else, has a defect. */
export function unclear(destination: Destination, answer: unknown): PosthornError {
  const known = isPosthornError(answer) ? answer : undefined
  const said =
    known?.message ?? (answer === undefined ? 'the driver did not answer for it' : 'the driver did not say')
  return new PosthornError(
    known?.code ?? 'POSTHORN_DEFECT',
    `What became of a message to "${destination.name}" is not known (${said}). Send it again with the same id.`,
    {
      phase: 'publish',
      retryable: true,
      outcome: 'unknown',
      cause: answer === undefined ? undefined : fromDriver(answer, 'POSTHORN_DEFECT', { phase: 'publish' }),
    },
  )
}

/** The driver owes an answer by the deadline that it was given, also where the broker says nothing. */
export function overdue(broker: string, destination: Destination): PosthornError {
  return new PosthornError(
    'POSTHORN_TIMEOUT',
    `The connection to ${broker} did not answer for messages to "${destination.name}" long after their deadline; it is replaced.`,
    { phase: 'publish', retryable: true },
  )
}
