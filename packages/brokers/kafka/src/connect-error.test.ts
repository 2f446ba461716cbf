import { PosthornError } from '@posthorn/transport/driver'
import { expect, test } from 'vitest'
import { AccessRefused } from './client/kafka-client.ts'
import { connectFailed } from './connect-error.ts'
import { NoAnswer } from './errors.ts'

const unreached = (cause: unknown): NoAnswer =>
  new NoAnswer(`No connection to b:1: ${String(cause)}`, false, cause)
const withCode = (code: string): NoAnswer => unreached(Object.assign(new Error('it failed'), { code }))
const unsupported = new PosthornError('POSTHORN_UNSUPPORTED', 'Too old.')
const refused = unreached(new AccessRefused('Invalid username or password'))

test.each([
  [withCode('ECONNREFUSED'), 'CONNECT_FAILED', true, 'it runs there'],
  [withCode('SELF_SIGNED_CERT_IN_CHAIN'), 'CONNECT_FAILED', false, 'tls.ca'],
  [withCode('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'CONNECT_FAILED', false, 'tls.ca'],
  [withCode('ERR_TLS_CERT_ALTNAME_INVALID'), 'CONNECT_FAILED', false, 'tls.servername'],
  [withCode('CERT_HAS_EXPIRED'), 'CONNECT_FAILED', false, 'valid now'],
  [withCode('ERR_SSL_WRONG_VERSION_NUMBER'), 'CONNECT_FAILED', false, 'kafka:'],
  [withCode('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'CONNECT_FAILED', false, 'tls.cert'],
  [unreached(new Error('Closed connection')), 'CONNECT_FAILED', true, 'kafkas:'],
  [refused, 'ACCESS_DENIED', false, 'user and password'],
  [unreached(unsupported), 'UNSUPPORTED', false, 'Too old'],
  [undefined, 'CONNECT_FAILED', true, 'undefined'],
])('says of %o that it is %s, and what to do', (given, code, retryable, advice) => {
  const error = connectFailed(given)
  expect([error.code, error.retryable]).toEqual([`POSTHORN_${code}`, retryable])
  expect(error.message).toContain(advice)
})

test.each([
  [[withCode('ECONNREFUSED'), refused], 'ACCESS_DENIED', false],
  [[withCode('CERT_HAS_EXPIRED'), withCode('ECONNREFUSED')], 'CONNECT_FAILED', true],
  [[withCode('CERT_HAS_EXPIRED'), withCode('CERT_HAS_EXPIRED')], 'CONNECT_FAILED', false],
  [[], 'CONNECT_FAILED', false],
])('of several failures the one counts that says most: %#', (errors, code, retryable) => {
  const error = connectFailed(new NoAnswer('No node answers', false, new AggregateError(errors)))
  expect([error.code, error.retryable]).toEqual([`POSTHORN_${code}`, retryable])
})
