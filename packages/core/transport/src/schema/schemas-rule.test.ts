import { expect, test } from 'vitest'
import { checkOptions } from '../options/check-options.ts'
import { schemasRule } from './schemas-rule.ts'

const standard = { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) }
const check = (schemas: unknown): void =>
  checkOptions('createWorkQueue("q")', { schemas }, { schemas: schemasRule })

test('takes schemas that are objects or functions', () => {
  const schemas = { a: { '~standard': standard }, b: Object.assign(() => {}, { '~standard': standard }) }
  expect(() => check(schemas)).not.toThrow()
  expect(() => check({})).not.toThrow()
})

test('refuses what is no object of schemas', () => {
  for (const wrong of [
    null,
    'zod',
    { a: null },
    { a: () => {} },
    { a: { '~standard': {} } },
    { a: 'string' },
  ]) {
    expect(() => check(wrong)).toThrow(
      'createWorkQueue("q").schemas must be an object with a Standard Schema',
    )
  }
})
