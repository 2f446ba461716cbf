import { expect, test } from 'vitest'
import { settlementBrand } from '../contract/settlement.ts'
import {
  ack,
  ackWith,
  deadLetterFor,
  isSettlement,
  releaseAfter,
  retryAfter,
  toSettlement,
} from './settlement.ts'

test.each([
  undefined,
  null,
  0,
  '',
  'retry',
  [],
  { verb: 'retry' },
  { [settlementBrand]: 'yes', verb: 'retry' },
  () => undefined,
])('what a handler returns is an ack: %o', (value) => {
  expect(toSettlement(value)).toEqual({ [settlementBrand]: true, verb: 'ack', value, repeated: false })
})

test('but for a settlement, also one of another copy of the package', () => {
  for (const settlement of [
    ack,
    ackWith(1),
    retryAfter(5, undefined),
    releaseAfter(0),
    deadLetterFor('no', 1),
  ]) {
    expect(toSettlement(settlement)).toBe(settlement)
  }
  const foreign = { [Symbol.for('posthorn.settlement')]: true, verb: 'release', delayMs: 0 }
  expect(isSettlement(foreign)).toBe(true)
})

test('the ack of nothing is one object, which nobody can change', () => {
  expect(ackWith(undefined)).toBe(ack)
  expect(Object.isFrozen(ack)).toBe(true)
  expect(ackWith(undefined, true)).toMatchObject({ verb: 'ack', value: undefined, repeated: true })
})
