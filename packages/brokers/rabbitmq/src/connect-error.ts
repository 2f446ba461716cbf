import { isPosthornError, PosthornError } from '@posthorn/transport/driver'
import { codeOf, describeError } from './errors.ts'
import type { Refusal } from './ask-refusal.ts'

const refused = /ACCESS.REFUSED|NOT.ALLOWED|SASL mechanism|\b403\b|\b530\b/
/** Of refusals, those that may pass. */
const passing = /vhost .* is down|limit .* reached|RESOURCE.ERROR/
const certificate = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|ALTNAME|wrong version number/i

/** What to do about a failure, by what Node.js or amqplib says; the first that fits. */
const hints: readonly (readonly [RegExp, string])[] = [
  [/ALTNAME/, 'Use a name that the certificate is for in the URL, or as tls.servername.'],
  [/HAS_EXPIRED|NOT_YET_VALID/, 'The server needs a certificate that is valid now.'],
  [/wrong version number|WRONG_VERSION/i, 'That port does not speak TLS: use amqp:, or the port for amqps:.'],
  [
    /ALERT|HANDSHAKE/,
    'The server wants a certificate of a client that it trusts: give tls.cert and tls.key.',
  ],
  [/SELF_SIGNED|UNABLE_TO_|CERT_/, 'Give the certificate of the authority that signed it as tls.ca.'],
  [/SASL mechanism EXTERNAL/, 'The server needs the plugin rabbitmq_auth_mechanism_ssl for it.'],
  [/closed abruptly/, 'If that port is for TLS, use amqps:.'],
]

/** All that amqplib says when the server closes instead of opening the virtual host. */
export function isVirtualHostRefused(error: unknown): boolean {
  return describeError(error).startsWith('Expected ConnectionOpenOk; got <ConnectionClose')
}

/**
 * A failed attempt to connect to `address` as ours. Wrong credentials, a virtual host that is not there and certificates
 * are not retryable. `refusal` is what the server says of the virtual host, where that was the failure.
 */
export function connectError(error: unknown, address: string, refusal?: Refusal): PosthornError {
  if (isPosthornError(error)) return error
  const details = { phase: 'connect', cause: error } as const
  if (isVirtualHostRefused(error)) {
    const said = refusal?.text ?? 'it does not say why'
    const message = `RabbitMQ at ${address} does not open the virtual host of the URL: ${said}.`
    if (refusal === undefined || !refused.test(said) || passing.test(said))
      return new PosthornError('POSTHORN_CONNECT_FAILED', message, { ...details, retryable: true })
    const advice = ' Create it, correct the URL, or give the user its permissions.'
    return new PosthornError('POSTHORN_ACCESS_DENIED', message + advice, details)
  }
  const text = describeError(error)
  const code = codeOf(error)
  const hint = hints.find(([symptom]) => symptom.test(code) || symptom.test(text))?.[1]
  if (refused.test(text) && !passing.test(text)) {
    const message = `RabbitMQ at ${address} refuses the login: ${text}. ${hint ?? 'Check user and password.'}`
    return new PosthornError('POSTHORN_ACCESS_DENIED', message, details)
  }
  const message = `RabbitMQ at ${address} could not be reached: ${text}.`
  return new PosthornError('POSTHORN_CONNECT_FAILED', hint === undefined ? message : `${message} ${hint}`, {
    ...details,
    retryable: !certificate.test(code) && !certificate.test(text),
  })
}

export function connectAborted(): PosthornError {
  return new PosthornError('POSTHORN_ABORTED', 'Connecting to RabbitMQ was given up.', { phase: 'connect' })
}

export function managementRefused(host: string, status: number): PosthornError {
  const text = `The management API at ${host} refuses the user of managementUrl (${status}). Check user and password, and give the user the tag "monitoring".`
  return new PosthornError('POSTHORN_ACCESS_DENIED', text, { phase: 'connect' })
}
