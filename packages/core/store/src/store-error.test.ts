import { expect, test } from 'vitest'
import { isStoreError, StoreError } from './store-error.ts'

test('has a code, whether it may pass, and its cause', () => {
  const cause = new Error('connection refused')
  const error = new StoreError('POSTHORN_STORE_FAILED', 'PostgreSQL failed', { retryable: true, cause })
  expect(error).toMatchObject({ name: 'StoreError', code: 'POSTHORN_STORE_FAILED', retryable: true, cause })
  expect(error).toMatchObject({ phase: 'store' })
})

test('is known by its brand, also that of another copy of the package', () => {
  const fromAnotherCopy = { [Symbol.for('posthorn.store-error')]: true }
  expect(isStoreError(new StoreError('POSTHORN_STORE_BUSY', 'busy'))).toBe(true)
  expect(isStoreError(fromAnotherCopy)).toBe(true)
})

test('is one of the errors that the transport knows', () => {
  const error = new StoreError('POSTHORN_STORE_BUSY', 'busy') as unknown as Record<symbol, unknown>
  expect(error[Symbol.for('posthorn.error')]).toBe(true)
})

const hostile = new Proxy(
  {},
  {
    get() {
      throw new Error('no')
    },
  },
)

test.each([[undefined], [null], ['text'], [new Error('plain')], [hostile]])(
  'takes no other value for one',
  (value) => {
    expect(isStoreError(value)).toBe(false)
  },
)
