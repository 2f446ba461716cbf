import { isPosthornError, PosthornError } from '@posthorn/transport/driver'
import { readInequivalent } from './inequivalent-argument.ts'
import type { PosthornErrorDetails } from '@posthorn/transport/driver'

type Details = Pick<PosthornErrorDetails, 'phase' | 'outcome'>

/** The text of whatever was thrown, without the user and password that a URL in it might hold. */
export function describeError(error: unknown): string {
  try {
    const text = error instanceof Error ? error.message || codeOf(error) || error.name : String(error)
    return text.replace(/\/\/[^/@\s]*@/g, '//').slice(0, 1_000)
  } catch {
    return 'an error that cannot be shown'
  }
}

/** The code of Node.js, such as `ECONNREFUSED`, or nothing. */
export function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : ''
}

/** The reply code of AMQP, where the error has one. */
export function replyCode(error: unknown): number | undefined {
  try {
    const code = (error as { readonly code?: unknown } | null)?.code
    if (typeof code === 'number') return code
    const [, inText] = /(?:^|\s)([345]\d\d) \([A-Z-]+\)/.exec(describeError(error)) ?? []
    return inText === undefined ? undefined : Number(inText)
  } catch {
    return undefined
  }
}

/** Any failure of an operation on a live connection as ours. `what` is the object or operation, for people. Never throws. */
export function toRabbitmqError(error: unknown, what: string, details: Details = {}): PosthornError {
  if (isPosthornError(error)) return error
  const text = describeError(error)
  const make = (
    code: ConstructorParameters<typeof PosthornError>[0],
    message: string,
    retryable: boolean,
  ): PosthornError => new PosthornError(code, message, { ...details, retryable, cause: error })
  const inequivalent = readInequivalent(text)
  if (inequivalent !== undefined) {
    return make(
      'POSTHORN_TOPOLOGY_MISMATCH',
      `${what} exists with another ${inequivalent.argument}: ${text}`,
      false,
    )
  }
  switch (replyCode(error)) {
    case 403:
      return make(
        'POSTHORN_ACCESS_DENIED',
        `RabbitMQ refuses ${what}: ${text}. Give the user the permission.`,
        false,
      )
    case 404:
      return make(
        'POSTHORN_TOPOLOGY_MISSING',
        `${what} does not exist: ${text}. Declare it first, or use the topology mode "create".`,
        false,
      )
    case 405:
      return make('POSTHORN_BROKER_ERROR', `${what} belongs to another connection alone: ${text}`, true)
    case 406:
    case 540:
      return make('POSTHORN_BROKER_ERROR', `RabbitMQ does not do this with ${what}: ${text}`, false)
    case undefined:
    default:
      return make(
        'POSTHORN_CONNECTION_LOST',
        `The connection ended while RabbitMQ was asked about ${what}: ${text}`,
        true,
      )
  }
}

export function connectionLost(reason: string, cause?: unknown): PosthornError {
  const text = `The connection to RabbitMQ is gone: ${reason}.`
  return new PosthornError('POSTHORN_CONNECTION_LOST', text, { phase: 'receive', retryable: true, cause })
}

/** Not written, so surely not there. */
export function notWritten(reason: string): PosthornError {
  const text = `The connection to RabbitMQ was gone before the message was written: ${reason}. Send again later.`
  return new PosthornError('POSTHORN_CONNECTION_LOST', text, {
    phase: 'publish',
    outcome: 'rejected',
    retryable: true,
  })
}

/** Written, and then the channel or connection ended. */
export function notConfirmed(reason: string): PosthornError {
  const text = `The connection to RabbitMQ ended before the message was confirmed: ${reason}. Send again with the same id.`
  return new PosthornError('POSTHORN_CONNECTION_LOST', text, {
    phase: 'publish',
    outcome: 'unknown',
    retryable: true,
  })
}

export function publishTimeout(outcome: 'rejected' | 'unknown'): PosthornError {
  const text =
    outcome === 'rejected'
      ? 'RabbitMQ took no messages in time; this one was not written. Send again later.'
      : 'RabbitMQ did not confirm in time. Send again with the same id.'
  return new PosthornError('POSTHORN_TIMEOUT', text, { phase: 'publish', outcome, retryable: true })
}

export function unroutable(destination: string): PosthornError {
  const text = `There is no queue "${destination}" on RabbitMQ. Declare it, or consume from it, before sending to it.`
  return new PosthornError('POSTHORN_UNROUTABLE', text, { phase: 'publish', outcome: 'rejected' })
}

/** A queue refuses at its bound, and on 3.10 also while it is without a leader. */
export function queueFull(destination: string): PosthornError {
  const text = `The queue "${destination}" refused the message: it is at its bound, or has no leader for now. Send again later; if it is full, consume faster or raise the bound.`
  return new PosthornError('POSTHORN_QUEUE_FULL', text, {
    phase: 'publish',
    outcome: 'rejected',
    retryable: true,
  })
}

/** By a queue of whatever kind: at its bound, or gone with its node, which may have stored the message before. */
export function queueRefused(destination: string): PosthornError {
  const text = `The queue "${destination}" refused the message, or its node ended before it confirmed; it may be there. Send again later with the same id.`
  return new PosthornError('POSTHORN_BROKER_ERROR', text, {
    phase: 'publish',
    outcome: 'unknown',
    retryable: true,
  })
}

/** Some of a topic's groups may have it. */
export function topicRefused(topic: string): PosthornError {
  const text = `A group of the topic "${topic}" refused the message; others may have it. Send again with the same id.`
  return new PosthornError('POSTHORN_BROKER_ERROR', text, {
    phase: 'publish',
    outcome: 'unknown',
    retryable: true,
  })
}

export function cannotEncode(error: unknown): PosthornError {
  const text = `The message cannot be encoded for AMQP: ${describeError(error)}. Its headers or properties are too large.`
  return new PosthornError('POSTHORN_INVALID_MESSAGE', text, {
    phase: 'publish',
    outcome: 'rejected',
    cause: error,
  })
}

export function settlementFailed(verb: string, source: string, cause: PosthornError): PosthornError {
  const text = `The ${verb} of a message of "${source}" failed, and it stays where it is: ${cause.message}`
  return new PosthornError('POSTHORN_SETTLE_FAILED', text, { phase: 'settle', retryable: true, cause })
}

export function consumerEnded(source: string, reason: string): PosthornError {
  const text = `RabbitMQ ended the consumer of "${source}": ${reason}.`
  return new PosthornError('POSTHORN_CONSUMER_ENDED', text, { phase: 'receive', retryable: true })
}

export function leaseLost(source: string, reason: string): PosthornError {
  const text = `RabbitMQ has taken back what was held of "${source}": ${reason}.`
  return new PosthornError('POSTHORN_LEASE_LOST', text, { phase: 'receive' })
}

export function deadLettersBusy(source: string): PosthornError {
  const text = `Another pass over the dead letters of "${source}" is open. Wait until it is closed; a lost connection closes it, too.`
  return new PosthornError('POSTHORN_DEAD_LETTERS_BUSY', text, { phase: 'receive', retryable: true })
}

export function passLost(source: string): PosthornError {
  const text = `The pass over the dead letters of "${source}" ended with its channel. Open another one; what was not decided is kept.`
  return new PosthornError('POSTHORN_DEAD_LETTERS_LOST', text, { phase: 'receive', retryable: true })
}

export function passClosed(source: string): PosthornError {
  const text = `The pass over the dead letters of "${source}" is closed. Open another one.`
  return new PosthornError('POSTHORN_CLOSED', text, { phase: 'receive' })
}

export function unsupported(what: string, alternative: string): PosthornError {
  return new PosthornError(
    'POSTHORN_UNSUPPORTED',
    `RabbitMQ does not have ${what}. Instead: ${alternative}.`,
    {
      phase: 'declare',
    },
  )
}
