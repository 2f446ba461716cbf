import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { connectError, isVirtualHostRefused } from './connect-error.ts'

const withCode = (code: string): Error => Object.assign(new Error(code), { code })
const vhostRefused = new Error('Expected ConnectionOpenOk; got <ConnectionClose channel:0>')

describe('connectError', () => {
  test.each([
    [
      new Error(
        'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused"',
      ),
      'ACCESS_DENIED',
      false,
      'user and password',
    ],
    [
      new Error('SASL mechanism EXTERNAL is not provided by the server'),
      'ACCESS_DENIED',
      false,
      'rabbitmq_auth_mechanism_ssl',
    ],
    [withCode('ECONNREFUSED'), 'CONNECT_FAILED', true, 'ECONNREFUSED'],
    [withCode('ENOTFOUND'), 'CONNECT_FAILED', true, 'ENOTFOUND'],
    [withCode('SELF_SIGNED_CERT_IN_CHAIN'), 'CONNECT_FAILED', false, 'tls.ca'],
    [withCode('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'CONNECT_FAILED', false, 'tls.ca'],
    [withCode('ERR_TLS_CERT_ALTNAME_INVALID'), 'CONNECT_FAILED', false, 'tls.servername'],
    [withCode('CERT_HAS_EXPIRED'), 'CONNECT_FAILED', false, 'valid now'],
    [withCode('ERR_SSL_WRONG_VERSION_NUMBER'), 'CONNECT_FAILED', false, 'amqp:'],
    [withCode('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'CONNECT_FAILED', false, 'tls.cert'],
    [new Error('Socket closed abruptly during opening handshake'), 'CONNECT_FAILED', true, 'amqps:'],
    [new Error('connect ETIMEDOUT'), 'CONNECT_FAILED', true, 'ETIMEDOUT'],
    [undefined, 'CONNECT_FAILED', true, 'undefined'],
  ])('says of %o that it is %s, and what to do', (given, code, retryable, advice) => {
    const error = connectError(given, 'broker:5672')
    expect([error.code, error.retryable]).toEqual([`POSTHORN_${code}`, retryable])
    expect(error.message).toContain('broker:5672')
    expect(error.message).toContain(advice)
  })

  test.each([
    ['NOT_ALLOWED - vhost orders not found', 'ACCESS_DENIED', false],
    ["NOT_ALLOWED - access to vhost 'orders' refused for user 'shop'", 'ACCESS_DENIED', false],
    [
      "NOT_ALLOWED - access to vhost 'orders' refused for user 'shop': vhost 'orders' is down",
      'CONNECT_FAILED',
      true,
    ],
    [
      "NOT_ALLOWED - access to vhost 'orders' refused for user 'shop': connection limit (1) is reached",
      'CONNECT_FAILED',
      true,
    ],
    ['INTERNAL_ERROR - something', 'CONNECT_FAILED', true],
  ])('where the server says of the virtual host "%s" it is %s', (text, code, retryable) => {
    const error = connectError(vhostRefused, 'broker:5672', { code: 530, text })
    expect([error.code, error.retryable]).toEqual([`POSTHORN_${code}`, retryable])
    expect(error.message).toContain(text)
  })

  test('a virtual host that is not opened without a reason may be opened later', () => {
    expect(isVirtualHostRefused(vhostRefused)).toBe(true)
    expect(connectError(vhostRefused, 'broker:5672')).toMatchObject({
      code: 'POSTHORN_CONNECT_FAILED',
      retryable: true,
    })
  })

  test('shows no password', () => {
    const error = connectError(new Error('Invalid URL: amqp://user:hunter2@broker/'), 'broker:5672')
    expect(inspect(error.message)).not.toContain('hunter2')
  })
})
