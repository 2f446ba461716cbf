import { describe, expect, test } from 'vitest'
import { replyCode, toRabbitmqError } from './errors.ts'

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

test('the reply code is found in the text where it is no field', () => {
  expect(replyCode(new Error('Operation failed: QueueDeclare; 404 (NOT-FOUND) with message "x"'))).toBe(404)
  expect(replyCode(new Error('nothing'))).toBeUndefined()
})
