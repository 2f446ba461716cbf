import { expect, test } from 'vitest'
import { readInequivalent } from './inequivalent-argument.ts'

const of = (argument: string, wanted: string, found: string): string =>
  `Operation failed: QueueDeclare; 406 (PRECONDITION-FAILED) with message "PRECONDITION_FAILED - inequivalent arg '${argument}' ` +
  `for queue 'shop:orders' in vhost '/': received ${wanted} but current is ${found}"`

test.each([
  ['x-max-length', "the value '20' of type 'signedint'", "the value '10' of type 'signedint'", 20, 10],
  ['x-max-length', "the value '20' of type 'signedint'", 'none', 20, undefined],
  ['x-single-active-consumer', 'none', "the value 'true' of type 'bool'", undefined, true],
  [
    'x-queue-type',
    "the value 'quorum' of type 'longstr'",
    "the value 'classic' of type 'longstr'",
    'quorum',
    'classic',
  ],
  [
    'x-dead-letter-routing-key',
    "the value '7' of type 'longstr'",
    "the value 'it's' of type 'longstr'",
    '7',
    "it's",
  ],
  ['durable', "'true'", "'false'", true, false],
])('reads a difference in %s', (argument, wanted, found, readWanted, readFound) => {
  expect(readInequivalent(of(argument, wanted, found))).toEqual({
    argument,
    object: 'shop:orders',
    wanted: readWanted,
    found: readFound,
  })
})

test('reads nothing out of other answers', () => {
  expect(
    readInequivalent("404 (NOT-FOUND) with message \"NOT_FOUND - no queue 'orders' in vhost '/'\""),
  ).toBeUndefined()
})
