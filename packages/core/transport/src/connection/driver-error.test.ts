import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { fromDriver, withoutSecrets } from './driver-error.ts'
import { PosthornError } from '../errors.ts'

describe('what a driver threw', () => {
  test('is passed on when it is a PosthornError', () => {
    const error = new PosthornError('POSTHORN_ACCESS_DENIED', 'Wrong password.')
    expect(fromDriver(error, 'POSTHORN_CONNECT_FAILED')).toBe(error)
  })

  test('keeps name, code and message of a client error, and nothing else of it', () => {
    const error = Object.assign(new TypeError('it broke'), {
      code: 'ECONNREFUSED',
      command: { args: ['hunter2'] },
    })
    const told = fromDriver(error, 'POSTHORN_CONNECT_FAILED', { phase: 'connect', retryable: true })
    expect(told).toMatchObject({
      code: 'POSTHORN_CONNECT_FAILED',
      message: 'it broke',
      phase: 'connect',
      retryable: true,
    })
    expect(told.cause).toMatchObject({ name: 'TypeError', message: 'it broke', code: 'ECONNREFUSED' })
    expect(inspect(told, { depth: null, showHidden: true })).not.toContain('hunter2')
  })

  test('is named by its code when it has no message, as where several addresses were tried', () => {
    const error = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })
    expect(fromDriver(error, 'POSTHORN_CONNECT_FAILED').message).toBe('ECONNREFUSED')
    expect(fromDriver(new RangeError(), 'POSTHORN_CONNECT_FAILED').message).toBe('RangeError')
  })

  test.each([undefined, null, 'text', 5, Object.create(null)])('may be no error at all: %o', (thrown) => {
    const told = fromDriver(thrown, 'POSTHORN_BROKER_ERROR')
    expect(told.code).toBe('POSTHORN_BROKER_ERROR')
    expect(told.message).not.toBe('')
  })

  test('shows no password of a URL in message, cause or stack', () => {
    const error = new Error('cannot reach amqp://user:hunter2@localhost:5672/shop')
    const told = fromDriver(error, 'POSTHORN_CONNECT_FAILED')
    expect(told.message).toBe('cannot reach amqp://***@localhost:5672/shop')
    expect(inspect(told, { depth: null })).not.toContain('hunter2')
  })
})

describe('a secret is taken out of a text', () => {
  test.each([
    ['redis://:hunter2@host', 'redis://***@host'],
    ['amqp://user:hunt@er2@host/x', 'amqp://***@host/x'],
    ['amqp://user:hunt/er2@host', 'amqp://***@host'],
    [
      'Endpoint=sb://x/;SharedAccessKey=hunter2;EntityPath=y',
      'Endpoint=sb://x/;SharedAccessKey=***;EntityPath=y',
    ],
    ['password=hunter2 user=me', 'password=*** user=me'],
    ['{"password":"hunter2","user":"me"}', '{"password":"***","user":"me"}'],
    ['sessionToken: hunter2, next', 'sessionToken: ***, next'],
    ['the token bucket is empty', 'the token bucket is empty'],
    ['no secret here: a@b.c', 'no secret here: a@b.c'],
  ])('%s', (text, shown) => {
    expect(withoutSecrets(text)).toBe(shown)
  })
})
