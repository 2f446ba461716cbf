import { readFileSync, writeFileSync } from 'node:fs'
import type { FaultPlan } from './fault-plan.ts'

/** Hands a plan to other processes. */
export function writePlan(file: string, plan: FaultPlan): void {
  writeFileSync(file, JSON.stringify({ ...plan, failures: [...plan.failures], slow: [...plan.slow] }))
}

export function readPlan(file: string): FaultPlan {
  const plan = JSON.parse(readFileSync(file, 'utf8')) as Omit<FaultPlan, 'failures' | 'slow'> & {
    readonly failures: readonly (readonly [string, number])[]
    readonly slow: readonly string[]
  }
  return { ...plan, poison: plan.poison, failures: new Map(plan.failures), slow: new Set(plan.slow) }
}
