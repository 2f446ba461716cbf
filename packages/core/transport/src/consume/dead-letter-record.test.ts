import { expect, test } from 'vitest'
import { deadLetterRecord } from './dead-letter-record.ts'
import { makeRun } from '../../test/make-run.ts'

const consumer = { source: 'events/billing', group: 'billing', handler: 'bill', now: 5_000 }

test('a record tells of the failure at hand, and of the first one', () => {
  const run = makeRun({
    deliveries: 4,
    wire: { attempt: 3, firstFailedAt: 1_000, lastFailedAt: 2_000, lastError: 'Error: old' },
  })
  expect(deadLetterRecord(consumer, run, 'attempts-exhausted', new TypeError('new'), 3)).toEqual({
    source: 'events/billing',
    group: 'billing',
    reason: 'attempts-exhausted',
    error: { name: 'TypeError', message: 'new', code: undefined },
    attempts: 3,
    deliveries: 4,
    firstFailedAt: 1_000,
    lastFailedAt: 5_000,
    deadLetteredAt: 5_000,
    handler: 'bill',
  })
})

test.each([
  ['TypeError: no: really', { name: 'TypeError', message: 'no: really', code: undefined }],
  ['nothing that looks like one', { name: 'Error', message: 'nothing that looks like one', code: undefined }],
  [undefined, undefined],
])('without a failure at hand it tells of the one recorded: %s', (lastError, error) => {
  const run = makeRun({ wire: { firstFailedAt: 1_000, lastFailedAt: 2_000, lastError } })
  const record = deadLetterRecord({ ...consumer, handler: '' }, run, 'deliveries-exhausted', undefined, 0)
  expect(record).toMatchObject({ error, firstFailedAt: 1_000, lastFailedAt: 2_000, handler: undefined })
})

test('one that never failed has no times of failures', () => {
  const record = deadLetterRecord(consumer, makeRun(), 'not wanted', undefined, 1)
  expect([record.firstFailedAt, record.lastFailedAt]).toEqual([undefined, undefined])
})
