import { expect, test } from 'vitest'
import { StoreError } from '../store-error.ts'
import { fromPostgres } from './postgres-errors.ts'

const withCode = (code: string): Error => Object.assign(new Error('told by the server'), { code })

test.each([
  ['a missing table', withCode('42P01'), 'POSTHORN_STORE_NOT_MIGRATED', false],
  ['a serialization failure', withCode('40001'), 'POSTHORN_STORE_BUSY', true],
  ['a deadlock', withCode('40P01'), 'POSTHORN_STORE_BUSY', true],
  ['a lock that was not had in time', withCode('55P03'), 'POSTHORN_STORE_BUSY', true],
  ['a server that shuts down', withCode('57P01'), 'POSTHORN_STORE_FAILED', true],
  ['too many connections', withCode('53300'), 'POSTHORN_STORE_FAILED', true],
  ['a permission', withCode('42501'), 'POSTHORN_STORE_FAILED', false],
  ['a connection', withCode('ECONNREFUSED'), 'POSTHORN_STORE_FAILED', true],
  ['a client that is gone', new Error('Connection terminated'), 'POSTHORN_STORE_FAILED', true],
  ['a text', 'nothing', 'POSTHORN_STORE_FAILED', true],
  ['a broken pipe', withCode('EPIPE'), 'POSTHORN_STORE_FAILED', true],
  ['nothing', null, 'POSTHORN_STORE_FAILED', true],
])('knows %s', (_, error, code, retryable) => {
  expect(fromPostgres(error)).toMatchObject({ code, retryable, cause: error })
})

test('leaves an error of the store as it is', () => {
  const error = new StoreError('POSTHORN_STORE_BUSY', 'busy')
  expect(fromPostgres(error)).toBe(error)
})
