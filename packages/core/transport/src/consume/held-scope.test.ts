import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { HeldScope } from './held-scope.ts'
import { makeRun } from '../../test/make-run.ts'
import type { Run } from './run.ts'

test('a scope lists what it holds in the order of arrival, whatever leaves it', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 60 }), (steps) => {
      const held = new HeldScope({ name: 'scope' }, undefined, 3)
      const expected: Run[] = []
      for (const step of steps) {
        if (step % 3 !== 0 || expected.length === 0) expected.push(makeRun({ held }))
        else held.remove(expected.splice(step % expected.length, 1)[0] as Run)
        expect(held.runs()).toEqual(expected)
        expect(held.unsettled).toBe(expected.length)
        expect(held.deliveries(expected)).toEqual(expected.map((run) => run.delivery))
      }
    }),
  )
})
