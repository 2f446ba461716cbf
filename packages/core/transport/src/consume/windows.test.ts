import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HeldScope } from './held-scope.ts'
import { shareWindows } from './windows.ts'

const scopes = (unsettled: readonly number[]): HeldScope[] =>
  unsettled.map((count) => ({ unsettled: count }) as HeldScope)

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

describe('shareWindows', () => {
  test('gives a single scope everything', () => {
    expect(shareWindows(scopes([7]), 10, 'dynamic')).toEqual([10])
    expect(shareWindows(scopes([7]), 10, 'fixed')).toEqual([10])
    expect(shareWindows([], 10, 'dynamic')).toEqual([])
  })

  test('gives even, constant parts where changing them is dear', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 50 }), { minLength: 2, maxLength: 20 }),
        fc.integer({ min: 1, max: 200 }),
        (held, prefetch) => {
          const windows = shareWindows(scopes(held), prefetch, 'fixed')
          expect(new Set(windows).size).toBe(1)
          expect(sum(windows)).toBeLessThanOrEqual(Math.max(prefetch, held.length))
          expect(windows[0]).toBeGreaterThanOrEqual(1)
        },
      ),
    )
  })

  test('never takes back what is held, and gives each scope its part however much the others hold', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 50 }), { minLength: 2, maxLength: 20 }),
        fc.integer({ min: 1, max: 200 }),
        (held, prefetch) => {
          const part = Math.max(1, Math.floor(prefetch / (2 * held.length)))
          for (const [index, window] of shareWindows(scopes(held), prefetch, 'dynamic').entries()) {
            expect(window).toBeGreaterThanOrEqual(held[index] as number)
            expect(window).toBeGreaterThanOrEqual(part)
          }
        },
      ),
    )
  })

  test('lets scopes that take turns hold no more than the prefetch together, and nearly all of it', () => {
    const turn = fc.record({ scope: fc.nat({ max: 9 }), change: fc.integer({ min: -20, max: 20 }) })
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 10 }),
        fc.integer({ min: 10, max: 200 }),
        fc.array(turn, { maxLength: 60 }),
        (count, prefetch, turns) => {
          const held = new Array<number>(count).fill(0)
          for (const { scope, change } of turns) {
            const index = scope % count
            const window = shareWindows(scopes(held), prefetch, 'dynamic')[index] as number
            held[index] = Math.max(
              0,
              Math.min((held[index] as number) + change, Math.max(window, held[index] as number)),
            )
            expect(sum(held)).toBeLessThanOrEqual(prefetch)
          }
          // One that has messages can have all while the others have none, but for their parts.
          const part = Math.max(1, Math.floor(prefetch / (2 * count)))
          const alone = shareWindows(scopes(new Array<number>(count).fill(0)), prefetch, 'dynamic')[0]
          expect(alone).toBe(prefetch - part * (count - 1))
        },
      ),
    )
  })
})
