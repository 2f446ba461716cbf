import { expect, test } from 'vitest'
import { checkOutgoing } from './check-outgoing.ts'
import type { StandardSchema } from './standard-schema.ts'

const issues = [{ message: 'not a number', path: ['total'] }]
const schema = (validate: StandardSchema['~standard']['validate']): StandardSchema => ({
  '~standard': { version: 1, vendor: 'test', validate },
})
const schemas = {
  numbers: schema((value) => (typeof value === 'number' ? { value } : { issues })),
  later: schema(async (value) => (typeof value === 'number' ? { value } : { issues })),
}
const check = (...entries: { type: string; data: unknown }[]) =>
  checkOutgoing('add to "q"', 'task', schemas, entries)

test('answers nothing to wait for when everything fits at once', () => {
  expect(check({ type: 'numbers', data: 1 }, { type: 'numbers', data: 2 })).toBeUndefined()
})

test('answers a promise where one schema takes its time', async () => {
  await expect(check({ type: 'numbers', data: 1 }, { type: 'later', data: 2 })).resolves.toBeUndefined()
  await expect(check({ type: 'numbers', data: 1 }, { type: 'later', data: 'x' })).rejects.toThrow(
    'task "later" at [1]',
  )
})

test('throws what is wrong with a single one, with the issues as the cause', () => {
  expect(() => check({ type: 'numbers', data: 'x' })).toThrow(
    expect.objectContaining({
      code: 'POSTHORN_SCHEMA_MISMATCH',
      phase: 'publish',
      outcome: 'rejected',
      message:
        'add to "q": The task "numbers" does not fit its schema: total: not a number. Nothing was sent.',
      cause: issues,
    }),
  )
})

test('says of a batch which is the first, and how many there are', () => {
  const wrong = { type: 'numbers', data: 'x' }
  expect(() => check({ type: 'numbers', data: 1 }, wrong, wrong)).toThrow(
    'add to "q": task "numbers" at [1] does not fit its schema: total: not a number. 2 of 3 do not. Nothing was sent.',
  )
})

test('refuses a type that has no schema, also one that every object has', () => {
  expect(() => check({ type: 'number', data: 1 })).toThrow(
    'there is no task "number". Did you mean "numbers"? Known: numbers, later',
  )
  expect(() => check({ type: 'toString', data: 1 })).toThrow(
    'there is no task "toString". Known: numbers, later',
  )
  expect(() => check({ type: 7 as never, data: 1 })).toThrow('there is no task 7.')
})

test('refuses what is no message at all', () => {
  expect(() => check(undefined as never)).toThrow('there is no task undefined. Known: numbers, later')
  expect(() => check({ type: 'numbers', data: 1 }, null as never)).toThrow('there is no task undefined')
})

test('leaves what is no array to whoever sends it', () => {
  expect(checkOutgoing('addMany to "q"', 'task', schemas, 'numbers' as never)).toBeUndefined()
})

test('without schemas, only a missing name does not fit', () => {
  expect(() => checkOutgoing('add to "q"', 'task', undefined, [{ data: 1 } as never])).toThrow(
    'add to "q": the name of the task is missing. Nothing was sent.',
  )
  expect(() =>
    checkOutgoing('add to "q"', 'task', undefined, [{ type: 'a', data: 1 }, { data: 1 } as never]),
  ).toThrow('the name of the task at [1] is missing')
  expect(checkOutgoing('add to "q"', 'task', undefined, [null as never])).toBeUndefined()
})

test('without schemas, everything else fits', () => {
  expect(checkOutgoing('add to "q"', 'task', undefined, [{ type: 'any', data: undefined }])).toBeUndefined()
})
