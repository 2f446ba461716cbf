import { inspect } from 'node:util'
import { isPosthornError } from '@posthorn/transport'
import { describe, expect, test } from 'vitest'
import { connectError, replyCode, toRabbitmqError } from './errors.ts'

const amqp = (code: number, message: string): Error => Object.assign(new Error(message), { code })

describe('toRabbitmqError', () => {
  test.each([
    [amqp(403, 'ACCESS_REFUSED - access to queue refused'), 'POSTHORN_ACCESS_DENIED', false],
    [amqp(404, "NOT_FOUND - no queue 'orders'"), 'POSTHORN_TOPOLOGY_MISSING', false],
    [amqp(405, 'RESOURCE_LOCKED'), 'POSTHORN_BROKER_ERROR', true],
    [
      amqp(
        406,
        "PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'q' in vhost '/': received none but current is none",
      ),
      'POSTHORN_TOPOLOGY_MISMATCH',
      false,
    ],
    [amqp(406, 'PRECONDITION_FAILED - unknown delivery tag'), 'POSTHORN_BROKER_ERROR', false],
    [amqp(540, 'NOT_IMPLEMENTED'), 'POSTHORN_BROKER_ERROR', false],
    [amqp(320, 'CONNECTION_FORCED'), 'POSTHORN_CONNECTION_LOST', true],
    [new Error('Channel ended, no reply will be forthcoming'), 'POSTHORN_CONNECTION_LOST', true],
    [undefined, 'POSTHORN_CONNECTION_LOST', true],
    [null, 'POSTHORN_CONNECTION_LOST', true],
    ['text', 'POSTHORN_CONNECTION_LOST', true],
    [Object.create(null), 'POSTHORN_CONNECTION_LOST', true],
  ])('classifies %o as %s', (given, code, retryable) => {
    const error = toRabbitmqError(given, 'the queue "orders"', { phase: 'declare' })
    expect([error.code, error.retryable, error.phase]).toEqual([code, retryable, 'declare'])
    expect(error.message).toContain('orders')
  })

  test('names the argument that differs', () => {
    const text =
      "inequivalent arg 'x-max-length' for queue 'q' in vhost '/': received the value '2' of type 'signedint' but current is none"
    expect(toRabbitmqError(amqp(406, text), 'the queue "orders"').message).toContain('x-max-length')
  })

  test('leaves our own errors alone', () => {
    const error = toRabbitmqError(amqp(404, 'x'), 'x')
    expect(toRabbitmqError(error, 'y')).toBe(error)
  })
})

describe('connectError', () => {
  const withCode = (code: string): Error => Object.assign(new Error(code), { code })

  test.each([
    [
      new Error(
        'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused"',
      ),
      'ACCESS_DENIED',
      false,
    ],
    [new Error('Expected ConnectionOpenOk; got <ConnectionClose channel:0>'), 'ACCESS_DENIED', false],
    [new Error('SASL mechanism EXTERNAL is not provided by the server'), 'ACCESS_DENIED', false],
    [
      new Error("INTERNAL_ERROR - access to vhost '/' refused for user 'x': vhost '/' is down"),
      'CONNECT_FAILED',
      true,
    ],
    [withCode('ECONNREFUSED'), 'CONNECT_FAILED', true],
    [withCode('ENOTFOUND'), 'CONNECT_FAILED', true],
    [withCode('SELF_SIGNED_CERT_IN_CHAIN'), 'CONNECT_FAILED', false],
    [new Error('connect ETIMEDOUT'), 'CONNECT_FAILED', true],
    [undefined, 'CONNECT_FAILED', true],
  ])('classifies %o', (given, code, retryable) => {
    const error = connectError(given, 'broker:5672', false)
    expect([error.code, error.retryable]).toEqual([`POSTHORN_${code}`, retryable])
    expect(error.message).toContain('broker:5672')
  })

  test('a virtual host that was open before may come back', () => {
    const error = connectError(
      new Error('Expected ConnectionOpenOk; got <ConnectionClose channel:0>'),
      'broker:5672',
      true,
    )
    expect([error.code, error.retryable]).toEqual(['POSTHORN_CONNECT_FAILED', true])
  })

  test('shows no password', () => {
    const error = connectError(new Error('Invalid URL: amqp://user:hunter2@broker/'), 'broker:5672', false)
    expect(isPosthornError(error)).toBe(true)
    expect(error.message).not.toContain('hunter2')
    expect(inspect(error.message)).not.toContain('hunter2')
  })
})

test('the reply code is found in the text where it is no field', () => {
  expect(replyCode(new Error('Operation failed: QueueDeclare; 404 (NOT-FOUND) with message "x"'))).toBe(404)
  expect(replyCode(new Error('nothing'))).toBeUndefined()
})
