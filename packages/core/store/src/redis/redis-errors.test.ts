import { expect, test } from 'vitest'
import { fromRedis, isMissingScript } from './redis-errors.ts'

const reply = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' })

test.each([
  ['LOADING Redis is loading the dataset in memory', true],
  ["READONLY You can't write against a read only replica.", true],
  ["OOM command not allowed when used memory > 'maxmemory'.", true],
  ['NOPERM this user has no permissions', false],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', false],
])('knows whether "%s" may pass', (message, retryable) => {
  expect(fromRedis(reply(message))).toMatchObject({ code: 'POSTHORN_STORE_FAILED', retryable })
})

test.each([[new Error('Connection is closed.')], ['text'], [undefined]])(
  'takes what is no reply for trouble on the way',
  (error) => {
    expect(fromRedis(error)).toMatchObject({ code: 'POSTHORN_STORE_FAILED', retryable: true })
  },
)

test('knows a script that is missing', () => {
  expect(isMissingScript(reply('NOSCRIPT No matching script. Please use EVAL.'))).toBe(true)
  expect(isMissingScript(reply('ERR unknown'))).toBe(false)
  expect(isMissingScript('NOSCRIPT')).toBe(false)
})
