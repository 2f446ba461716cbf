import { expect, test } from 'vitest'
import { checkTransport } from './check-transport.ts'
import { memory } from '../memory.ts'

const refusal = (given: unknown): unknown => {
  try {
    checkTransport('createWorkQueue("tasks")', given)
    return 'fine'
  } catch (error) {
    return error
  }
}

test('a transport is taken', async () => {
  const transport = await memory()
  expect(refusal(transport)).toBe('fine')
  await transport.close()
})

test('a promise of one is refused, since somebody forgot to wait for it', async () => {
  const promise = memory()
  expect(refusal(promise)).toMatchObject({
    code: 'POSTHORN_INVALID_OPTION',
    phase: 'options',
    message: 'createWorkQueue("tasks") takes a transport, and got a promise of one. Await it first.',
  })
  await (await promise).close()
})

test.each([
  [undefined, 'undefined'],
  [null, 'null'],
  ['amqp://me:secret@host', 'a string'],
  [{ send() {} }, 'an object'],
  [() => {}, 'a function'],
])('%o is refused, saying what to pass', (given, shown) => {
  expect(refusal(given)).toMatchObject({
    code: 'POSTHORN_INVALID_OPTION',
    message: expect.stringContaining(`got ${shown}. Pass what \`await connect(url)\``),
  })
})
