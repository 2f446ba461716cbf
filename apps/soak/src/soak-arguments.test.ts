import { expect, test } from 'vitest'
import { readArguments } from './soak-arguments.ts'

test('reads what was given, and fills in the rest', () => {
  expect(readArguments(['rabbitmq', '--messages', '1000000', '--restarts=20', '--ordered'])).toEqual({
    broker: 'rabbitmq',
    version: undefined,
    messages: 1_000_000,
    restarts: 20,
    seed: 1,
    ordered: true,
    quick: false,
  })
  expect(readArguments(['rabbitmq', '--quick'])).toMatchObject({ messages: 20_000, restarts: 3 })
})

test.each([
  [[], 'One broker is wanted (rabbitmq, kafka), and got "".'],
  [['mqseries'], 'and got "mqseries"'],
  [['rabbitmq', 'kafka'], 'and got "rabbitmq kafka"'],
  [['rabbitmq', '--messages', '1e9x'], '--messages takes a whole number from 1, and got "1e9x".'],
  [['rabbitmq', '--restarts=-1'], '--restarts takes a whole number from 0, and got "-1".'],
  [['rabbitmq', '--sed', '1'], '--sed'],
])('refuses %j', (words, message) => {
  expect(() => readArguments(words)).toThrow(message)
})
