import { isPosthornError, PosthornError } from '@posthorn/transport/driver'
import { describeError, NoAnswer } from './errors.ts'
import { AccessRefused } from './client/kafka-client.ts'

const certificate = /CERT|SELF.SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|EPROTO|ALTNAME|wrong version number/i

/** What to do about a failure, by what Node.js or the client says; the first that fits. */
const hints: readonly (readonly [RegExp, string])[] = [
  [/ALTNAME/, 'Use names that the certificate is for (advertised.listeners), or give tls.servername.'],
  [/HAS_EXPIRED|NOT_YET_VALID/, 'The broker needs a certificate that is valid now.'],
  [/wrong version number|WRONG_VERSION|before secure TLS/i, 'That port may not speak TLS: use kafka:.'],
  [
    /ALERT|HANDSHAKE/i,
    'The broker wants a certificate of a client that it trusts: give tls.cert and tls.key.',
  ],
  [/SELF.SIGNED|UNABLE_TO_|CERT_/i, 'Give the certificate of the authority that signed it as tls.ca.'],
  [/requires TLS/, 'Use kafkas:.'],
  [
    /closed|ended/i,
    'If that port is for TLS, use kafkas:; if it is for users, give user and password in the URL.',
  ],
]

/**
 * Why there is no connection. Wrong credentials, certificates that are not trusted and brokers that lack something do not get
 * better by trying again. Of several failures the one that says most counts. Never throws.
 */
export function connectFailed(error: unknown): PosthornError {
  if (isPosthornError(error)) return error
  const { cause } = error instanceof NoAnswer ? error : {}
  if (isPosthornError(cause)) return cause
  if (cause instanceof AggregateError) return worst(cause.errors.map((one) => connectFailed(one)))
  const details = { phase: 'connect', cause: error } as const
  const text = describeError(error)
  if (cause instanceof AccessRefused) {
    const advice = 'Check user and password of the URL, and sasl; a port without logins refuses them, too.'
    return new PosthornError('POSTHORN_ACCESS_DENIED', `Kafka refuses the login. ${text}. ${advice}`, details)
  }
  const told = `${codeOf(cause)} ${text}`
  const advice = hints.find(([symptom]) => symptom.test(told))?.[1] ?? 'Check that it runs there.'
  return new PosthornError('POSTHORN_CONNECT_FAILED', `Kafka could not be reached. ${text}. ${advice}`, {
    ...details,
    retryable: !certificate.test(told),
  })
}

/** What is refused is so by all of a cluster; of the rest, rather one that may pass. */
function worst(problems: readonly PosthornError[]): PosthornError {
  return (
    problems.find(({ code }) => code !== 'POSTHORN_CONNECT_FAILED') ??
    problems.find(({ retryable }) => retryable) ??
    problems[0] ??
    new PosthornError('POSTHORN_CONNECT_FAILED', 'Kafka could not be reached: no broker was given.', {
      phase: 'connect',
    })
  )
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}
