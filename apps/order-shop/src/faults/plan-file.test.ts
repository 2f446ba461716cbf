import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { planFaults } from './fault-plan.ts'
import { readPlan, writePlan } from './plan-file.ts'

test('a plan comes back from its file as it was', () => {
  const folder = mkdtempSync(join(tmpdir(), 'order-shop-test-'))
  const orders = Array.from({ length: 100 }, (_, index) => ({ id: `ORD-${index}` }))
  const plan = planFaults({ seed: 3, orders, reach: 'processes and connections' })
  writePlan(join(folder, 'plan.json'), plan)

  expect(readPlan(join(folder, 'plan.json'))).toEqual(plan)
  rmSync(folder, { recursive: true })
})
