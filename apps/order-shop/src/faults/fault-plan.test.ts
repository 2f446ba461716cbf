import { expect, test } from 'vitest'
import { planFaults } from './fault-plan.ts'

const orders = Array.from({ length: 400 }, (_, index) => ({ id: `ORD-${index}` }))

test('plans the same for the same seed, and something else for another', () => {
  expect(planFaults({ seed: 7, orders, reach: 'memory' })).toEqual(
    planFaults({ seed: 7, orders, reach: 'memory' }),
  )
  expect(planFaults({ seed: 8, orders, reach: 'memory' })).not.toEqual(
    planFaults({ seed: 7, orders, reach: 'memory' }),
  )
})

test('meets no order with two faults of the broker, so that each shows for itself', () => {
  for (let seed = 0; seed < 50; seed++) {
    const { poison, strikes, lostConfirmations, duplicates } = planFaults({ seed, orders, reach: 'memory' })
    const met = [poison, ...strikes.map(({ subject }) => subject), ...lostConfirmations, ...duplicates]

    expect(new Set(met).size).toBe(met.length)
    expect(met.length).toBe(13)
  }
})

test('leaves to a server what can be done to one from outside', () => {
  const inMemory = planFaults({ seed: 1, orders, reach: 'memory' })
  const cut = planFaults({ seed: 1, orders, reach: 'processes and connections' })
  const killed = planFaults({ seed: 1, orders, reach: 'processes' })

  expect(cut).toMatchObject({ strikes: inMemory.strikes, lostConfirmations: inMemory.lostConfirmations })
  expect(cut.duplicates).toEqual([])
  expect(killed.strikes.map(({ kind }) => kind)).toEqual(Array.from({ length: 5 }, () => 'crash'))
  expect(killed.lostConfirmations).toEqual([])
})

test('plans for no orders, and for one', () => {
  expect(planFaults({ seed: 1, orders: [], reach: 'memory' }).poison).toBeUndefined()
  expect(planFaults({ seed: 1, orders: [{ id: 'ORD-1' }], reach: 'memory' }).poison).toBe('ORD-1')
})
