import { expect, test } from 'vitest'
import { planFaults } from './fault-plan.ts'

const orders = Array.from({ length: 400 }, (_, index) => ({ id: `ORD-${index}` }))

test('plans the same for the same seed, and something else for another', () => {
  expect(planFaults({ seed: 7, orders, broker: true })).toEqual(planFaults({ seed: 7, orders, broker: true }))
  expect(planFaults({ seed: 8, orders, broker: true })).not.toEqual(
    planFaults({ seed: 7, orders, broker: true }),
  )
})

test('meets no order with two faults of the broker, so that each shows for itself', () => {
  for (let seed = 0; seed < 50; seed++) {
    const { poison, strikes, lostConfirmations, duplicates } = planFaults({ seed, orders, broker: true })
    const met = [poison, ...strikes.map(({ subject }) => subject), ...lostConfirmations, ...duplicates]

    expect(new Set(met).size).toBe(met.length)
    expect(met.length).toBe(13)
  }
})

test('leaves the broker alone where it cannot be asked to fail', () => {
  const plan = planFaults({ seed: 1, orders, broker: false })

  expect(plan.strikes).toEqual([])
  expect(plan.lostConfirmations).toEqual([])
  expect(plan.duplicates).toEqual([])
  expect(plan.failures.size).toBeGreaterThan(80)
})

test('plans for no orders, and for one', () => {
  expect(planFaults({ seed: 1, orders: [], broker: true }).poison).toBeUndefined()
  expect(planFaults({ seed: 1, orders: [{ id: 'ORD-1' }], broker: true }).poison).toBe('ORD-1')
})
