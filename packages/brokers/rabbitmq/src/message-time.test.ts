import { expect, test } from 'vitest'
import { messageTime } from './message-time.ts'

const id = '018bcfe5-687b-7abc-8def-0123456789ab'

test.each<[string, number, string | undefined, number]>([
  ['the milliseconds of an id that was made in that second', 1_700_000_000, id, 1_700_000_000_123],
  ['the second alone for an id of another one', 1_700_000_001, id, 1_700_000_001_000],
  ['the second alone for an id of another version', 1_700_000_000, id.replace('-7', '-4'), 1_700_000_000_000],
  ['the second alone for what only looks like such an id', 0, 'x'.repeat(14) + '7' + 'x'.repeat(21), 0],
  ['the second alone for an id of another kind', 1_700_000_000, 'order-1', 1_700_000_000_000],
  ['the second alone without an id', 1_700_000_000, undefined, 1_700_000_000_000],
])('answers %s', (_, seconds, given, time) => {
  expect(messageTime(seconds, given)).toBe(time)
  expect(messageTime(seconds, given)).toBe(time)
})
