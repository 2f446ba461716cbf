import { PosthornError } from '../errors.ts'
import type { ErrorCode } from '../error-codes.ts'
import type { ErrorPhase } from '../errors.ts'
import type { SettleVerb } from '../contract/driver.ts'

export function unsupported(what: string, alternative: string, phase: ErrorPhase): PosthornError {
  const rejected = phase === 'publish' ? ({ outcome: 'rejected' } as const) : {}
  return new PosthornError(
    'POSTHORN_UNSUPPORTED',
    `This in-memory broker does not support ${what}. ${alternative}`,
    {
      phase,
      ...rejected,
    },
  )
}

export function delayTooLong(longestMs: number): PosthornError {
  const what = longestMs === 0 ? 'delayed messages' : `delays of more than ${longestMs} ms`
  return unsupported(what, 'Send the message when it is due.', 'publish')
}

export function unroutable(destination: string): PosthornError {
  return new PosthornError(
    'POSTHORN_UNROUTABLE',
    `There is no queue "${destination}". Declare it, or consume from it, before sending to it.`,
    { phase: 'publish', outcome: 'rejected' },
  )
}

export function topicMissing(topic: string): PosthornError {
  return new PosthornError(
    'POSTHORN_TOPOLOGY_MISSING',
    `There is no topic "${topic}". Declare it before publishing to it.`,
    { phase: 'publish', outcome: 'rejected' },
  )
}

export function missing(what: string): PosthornError {
  return new PosthornError(
    'POSTHORN_TOPOLOGY_MISSING',
    `There is no ${what}. Declare it first, or use the topology mode "create".`,
    { phase: 'declare' },
  )
}

export function queueFull(queue: string, bound: string): PosthornError {
  return new PosthornError(
    'POSTHORN_QUEUE_FULL',
    `The queue "${queue}" is at its bound of ${bound}. Send again later, consume faster, or raise the bound.`,
    { phase: 'publish', outcome: 'rejected', retryable: true },
  )
}

export function bodyTooLarge(bytes: number, max: number): PosthornError {
  return new PosthornError(
    'POSTHORN_BODY_TOO_LARGE',
    `The body has ${bytes} bytes; this in-memory broker takes ${max}. Store it elsewhere and send where it is.`,
    { phase: 'publish', outcome: 'rejected' },
  )
}

export function headersTooLarge(bytes: number, max: number): PosthornError {
  return new PosthornError(
    'POSTHORN_HEADERS_TOO_LARGE',
    `The headers have ${bytes} bytes; this in-memory broker takes ${max}. Put what is large into the data.`,
    { phase: 'publish', outcome: 'rejected' },
  )
}

/** `outcome` is what became of messages that were on their way. */
export function connectionLost(reason: string, outcome?: 'rejected' | 'unknown'): PosthornError {
  return new PosthornError(
    'POSTHORN_CONNECTION_LOST',
    `The connection to the in-memory broker is gone: ${reason}.`,
    {
      phase: outcome === undefined ? 'receive' : 'publish',
      retryable: true,
      ...(outcome === undefined ? {} : { outcome }),
    },
  )
}

export function connectRefused(fatal: boolean): PosthornError {
  return fatal
    ? new PosthornError(
        'POSTHORN_ACCESS_DENIED',
        'The in-memory broker refuses this user (a fault asked for by a test).',
        {
          phase: 'connect',
        },
      )
    : new PosthornError(
        'POSTHORN_CONNECT_FAILED',
        'The in-memory broker refuses connections (a fault asked for by a test).',
        {
          phase: 'connect',
          retryable: true,
        },
      )
}

export function connectAborted(): PosthornError {
  return new PosthornError('POSTHORN_ABORTED', 'Connecting to the in-memory broker was given up.', {
    phase: 'connect',
  })
}

export function publishRejected(code: ErrorCode): PosthornError {
  return new PosthornError(code, 'The in-memory broker refused the message (a fault asked for by a test).', {
    phase: 'publish',
    outcome: 'rejected',
    retryable: true,
  })
}

export function publishTimeout(outcome: 'rejected' | 'unknown'): PosthornError {
  return new PosthornError(
    'POSTHORN_TIMEOUT',
    outcome === 'rejected'
      ? 'The in-memory broker took no messages in time; this one was not written. Send again later.'
      : 'The in-memory broker did not answer in time. Send again with the same id.',
    { phase: 'publish', outcome, retryable: true },
  )
}

export function confirmationLost(): PosthornError {
  return new PosthornError(
    'POSTHORN_CONNECTION_LOST',
    'The confirmation did not arrive (a fault asked for by a test). Send again with the same id.',
    { phase: 'publish', outcome: 'unknown', retryable: true },
  )
}

export function settlementFailed(verb: SettleVerb): PosthornError {
  return new PosthornError(
    'POSTHORN_SETTLE_FAILED',
    `The in-memory broker did not take the ${verb} (a fault asked for by a test).`,
    {
      phase: 'settle',
      retryable: true,
    },
  )
}

export function deadLetterFailed(queue: string): PosthornError {
  return new PosthornError(
    'POSTHORN_SETTLE_FAILED',
    `The dead letter could not be written to "${queue}" (a fault asked for by a test); the message stays where it is.`,
    { phase: 'settle', retryable: true },
  )
}

export function consumerEnded(source: string, reason: string): PosthornError {
  return new PosthornError(
    'POSTHORN_CONSUMER_ENDED',
    `The consumer of "${source}" was ended by the broker: ${reason}.`,
    {
      phase: 'receive',
      retryable: true,
    },
  )
}

export function scopeLost(scope: string, reason: string): PosthornError {
  return new PosthornError('POSTHORN_LEASE_LOST', `The broker took ${scope} back: ${reason}.`, {
    phase: 'receive',
  })
}

export function deadLettersBusy(source: string): PosthornError {
  return new PosthornError(
    'POSTHORN_DEAD_LETTERS_BUSY',
    `Another pass over the dead letters of "${source}" is open. Wait until it is closed; a lost connection closes it, too.`,
    { phase: 'receive', retryable: true },
  )
}

export function passLost(source: string): PosthornError {
  return new PosthornError(
    'POSTHORN_DEAD_LETTERS_LOST',
    `The pass over the dead letters of "${source}" ended with its connection. Open another one; what was not decided is kept.`,
    { phase: 'receive', retryable: true },
  )
}

export function passClosed(source: string): PosthornError {
  return new PosthornError(
    'POSTHORN_CLOSED',
    `The pass over the dead letters of "${source}" is closed. Open another one.`,
    {
      phase: 'receive',
    },
  )
}
