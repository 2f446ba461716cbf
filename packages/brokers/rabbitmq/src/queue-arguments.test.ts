import { describe, expect, test } from 'vitest'
import { askedArguments, declaredName, isMismatch, sourceArguments } from './queue-arguments.ts'

const quorum = {
  'x-queue-type': 'quorum',
  'x-delivery-limit': 1_000_000,
  'x-overflow': 'reject-publish',
  'x-dead-letter-exchange': '',
  'x-dead-letter-routing-key': 'orders.dlq',
  'x-dead-letter-strategy': 'at-least-once',
}

test.each([
  [{}, 'quorum', quorum],
  [{ maxMessages: 5, maxBytes: 6 }, 'quorum', { ...quorum, 'x-max-length': 5, 'x-max-length-bytes': 6 }],
  [{ order: 'key' }, 'quorum', { ...quorum, 'x-single-active-consumer': true }],
  [
    { native: { 'x-quorum-initial-group-size': 5 } },
    'quorum',
    { ...quorum, 'x-quorum-initial-group-size': 5 },
  ],
  [{}, 'classic', {}],
  [{ maxMessages: 5 }, 'classic', { 'x-max-length': 5, 'x-overflow': 'reject-publish' }],
  [{ native: { 'x-queue-type': 'classic' } }, 'quorum', { 'x-queue-type': 'classic' }],
] as const)('%j on %s queues', (declaration, queueType, expected) => {
  expect(sourceArguments(declaration, 'orders.dlq', queueType)).toEqual(expected)
})

describe('a difference', () => {
  test.each([
    ['x-max-length', { maxMessages: 5 }, 'create', true],
    ['x-max-length', { maxMessages: 5 }, 'check', true],
    ['x-max-length', {}, 'create', false],
    ['x-single-active-consumer', { order: 'none' }, 'create', true],
    ['x-single-active-consumer', {}, 'create', false],
    ['x-queue-type', {}, 'create', true],
    ['x-queue-type', {}, 'check', false],
    ['x-delivery-limit', {}, 'create', true],
    ['x-anything', { native: { 'x-anything': 1 } }, 'check', true],
  ] as const)('in %s, with %j declared in mode %s, matters: %s', (argument, declaration, mode, matters) => {
    expect(isMismatch(argument, askedArguments(declaration), mode)).toBe(matters)
  })
})

test('differences are told in the words of the declaration', () => {
  expect(
    ['x-max-length', 'x-single-active-consumer', 'x-queue-type'].map((argument) => declaredName(argument)),
  ).toEqual(['maxMessages', 'order', 'x-queue-type'])
})
