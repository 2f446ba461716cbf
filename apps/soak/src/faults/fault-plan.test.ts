import { expect, test } from 'vitest'
import { planFaults } from './fault-plan.ts'

test('the same seed gives the same faults, another seed others', () => {
  const plan = planFaults({ seed: 7, restarts: 20, quick: false })
  expect(planFaults({ seed: 7, restarts: 20, quick: false })).toEqual(plan)
  expect(planFaults({ seed: 8, restarts: 20, quick: false })).not.toEqual(plan)
})

test('kills the server as often as it was asked to, and brings every other kind of fault', () => {
  const plan = planFaults({ seed: 1, restarts: 3, quick: true })
  expect(plan.filter(({ kind }) => kind === 'server killed')).toHaveLength(3)
  expect(new Set(plan.map(({ kind }) => kind)).size).toBe(8)
})

test('comes in the order of time and leaves the end alone', () => {
  const places = planFaults({ seed: 3, restarts: 20, quick: false }).map(({ at }) => at)
  expect(places).toEqual(places.toSorted((a, b) => a - b))
  expect(places.at(0)).toBeGreaterThan(0)
  expect(places.at(-1)).toBeLessThan(0.93)
})
