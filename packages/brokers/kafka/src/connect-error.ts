import { PosthornError } from '@posthorn/transport/driver'
import { describeError, NoAnswer } from './errors.ts'
import { AccessRefused } from './client/kafka-client.ts'

/** Why there is no connection. Wrong credentials do not get better by trying again. */
export function connectFailed(error: unknown): PosthornError {
  const cause = error instanceof NoAnswer ? error.cause : error
  if (cause instanceof AccessRefused) {
    const text = `Kafka refuses the login: ${describeError(cause)}. Check user, password and the mechanism (sasl).`
    return new PosthornError('POSTHORN_ACCESS_DENIED', text, { phase: 'connect', cause })
  }
  const text = `Kafka could not be reached: ${describeError(error)}. Check that it runs there.`
  return new PosthornError('POSTHORN_CONNECT_FAILED', text, {
    phase: 'connect',
    retryable: true,
    cause: error,
  })
}
