import { expect, test } from 'vitest'
import { makeWire } from '../../test/make-run.ts'
import { isSuspect } from './suspicion.ts'

test.each([
  [1, { attempt: 1, releases: 0 }, false],
  [2, { attempt: 1, releases: 0 }, false],
  [3, { attempt: 1, releases: 0 }, true],
  [3, { attempt: 2, releases: 0 }, false],
  [3, { attempt: 1, releases: 1 }, false],
  [9, { attempt: 4, releases: 4 }, false],
  [10, { attempt: 4, releases: 4 }, true],
])('%i hand-outs with %o: suspect is %s', (deliveries, fields, suspect) => {
  expect(isSuspect(deliveries, makeWire(fields))).toBe(suspect)
})
