import { expect, test } from 'vitest'
import type { Context } from '../contract/context.ts'
import type { Message } from '../contract/message.ts'
import { withSchema } from './with-schema.ts'
import type { StandardSchema } from './standard-schema.ts'

const issues = [{ message: 'not a number', path: ['total'] }]
const schema = (validate: StandardSchema['~standard']['validate']): StandardSchema => ({
  '~standard': { version: 1, vendor: 'test', validate },
})
const context = { deadLetter: (options: unknown) => ({ deadLetter: options }) } as unknown as Context
const message = (data: unknown): Message => ({ id: '7', type: 'sum', data }) as Message

test('hands on the data that the schema gives, and leaves the message alone', () => {
  const given = message({ total: '1' })
  const handler = withSchema(
    schema(() => ({ value: { total: 1 } })),
    (changed: Message) => changed,
  )
  expect(handler(given, context)).toEqual({ id: '7', type: 'sum', data: { total: 1 } })
  expect(given.data).toEqual({ total: '1' })
})

test('a schema without a wait costs none', () => {
  const handler = withSchema(
    schema((value) => ({ value })),
    () => 'done',
  )
  expect(handler(message(1), context)).toBe('done')
})

test('asks for a dead letter with the issues, now or later, and does not call the handler', async () => {
  const handler = (): never => {
    throw new Error('called')
  }
  const settlement = {
    deadLetter: {
      reason: 'invalid-data: total: not a number',
      error: expect.objectContaining({
        code: 'POSTHORN_SCHEMA_MISMATCH',
        phase: 'handle',
        message: 'The data of "sum" 7 does not fit its schema: total: not a number.',
        cause: issues,
      }),
    },
  }
  expect(
    withSchema(
      schema(() => ({ issues })),
      handler,
    )(message(1), context),
  ).toEqual(settlement)
  expect(
    await withSchema(
      schema(async () => ({ issues })),
      handler,
    )(message(1), context),
  ).toEqual(settlement)
})

test('what a schema throws is thrown, as a failure of the attempt', async () => {
  const broken = (): never => {
    throw new Error('database down')
  }
  expect(() => withSchema(schema(broken), () => {})(message(1), context)).toThrow('database down')
  await expect(
    withSchema(
      schema(async () => broken()),
      () => {},
    )(message(1), context),
  ).rejects.toThrow('database down')
})
