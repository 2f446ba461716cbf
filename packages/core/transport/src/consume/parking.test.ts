import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HeldScope } from './held-scope.ts'
import { makeRun } from '../../test/make-run.ts'
import { Parking } from './parking.ts'
import type { Run } from './run.ts'

function scopeOf(window: number): HeldScope {
  const held = new HeldScope({ name: `window of ${window}` }, undefined, 3)
  held.window = window
  return held
}

describe('Parking', () => {
  test('keeps half of a window, and sends the rest away with waits that grow from a second to a minute', () => {
    const parking = new Parking()
    const held = scopeOf(4)
    const waits = Array.from({ length: 7_000 }, () => parking.park(makeRun({ held })))
    expect(waits.slice(0, 3)).toEqual([undefined, undefined, 1_000])
    expect([waits[102], waits[202], waits[5_002]]).toEqual([1_000, 2_000, 50_000])
    expect(waits.at(-1)).toBe(60_000)
  })

  test('keeps nothing where a scope may hold one, so that the others can come', () => {
    const parking = new Parking()
    expect(parking.park(makeRun({ held: scopeOf(1) }))).toBe(1_000)
    expect(parking.size).toBe(0)
  })

  test('lets what was released before wait longer each time, up to a minute', () => {
    const waits = [0, 1, 2, 5, 6, 1_000].map((releases) =>
      new Parking().park(makeRun({ held: scopeOf(0), wire: { releases } })),
    )
    expect(waits).toEqual([1_000, 2_000, 4_000, 32_000, 60_000, 60_000])
  })

  test('begins with short waits again after a reset', () => {
    const parking = new Parking()
    const held = scopeOf(2)
    for (let index = 0; index < 500; index++) parking.park(makeRun({ held }))
    parking.reset()
    expect(parking.park(makeRun({ held }))).toBe(1_000)
  })

  test('never lets a scope be filled by what is parked, and counts right whatever comes and goes', () => {
    const step = fc.record({
      do: fc.constantFrom('park', 'park', 'park', 'forget', 'take'),
      scope: fc.nat({ max: 2 }),
      pick: fc.nat(),
    })
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 3, maxLength: 3 }),
        fc.array(step, { maxLength: 80 }),
        (sizes, steps) => {
          const parking = new Parking()
          const scopes = sizes.map(scopeOf)
          const parked = new Set<Run>()
          for (const one of steps) {
            const held = scopes[one.scope] as HeldScope
            const [some] = [...parked].slice(one.pick % Math.max(1, parked.size))
            if (one.do === 'park') {
              const run = makeRun({ held })
              const wait = parking.park(run)
              if (wait === undefined) parked.add(run)
              else expect(wait).toBeGreaterThanOrEqual(1_000)
              expect(wait ?? 0).toBeLessThanOrEqual(60_000)
              expect(run.state).toBe(wait === undefined ? 'parked' : 'waiting')
            } else if (one.do === 'forget' && some !== undefined) {
              parking.forget(some)
              parking.forget(some)
              parked.delete(some)
            } else if (one.do === 'take') {
              const taken = parking.take((run) => run.held === held)
              for (const run of taken) {
                expect(parked.delete(run)).toBe(true)
                expect(run.state).toBe('waiting')
              }
              expect([...parked].every((run) => run.held !== held)).toBe(true)
            }
            expect(parking.size).toBe(parked.size)
            for (const scope of scopes) {
              expect(scope.parked).toBe([...parked].filter((run) => run.held === scope).length)
              expect(scope.parked).toBeLessThanOrEqual(Math.floor(scope.window / 2))
            }
          }
        },
      ),
    )
  })
})
