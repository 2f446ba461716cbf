import { median } from '../median.ts'
import { policyNames, type PolicyName } from './policy-names.ts'
import type { FlowTime } from '../flow.ts'
import type { Goal } from '../goal.ts'

/** Microseconds of processor time that each one may add to a message; the chain what its parts may together. */
const wanted: Readonly<Record<Exclude<PolicyName, 'none'>, number>> = {
  metrics: 1,
  retry: 0.5,
  breaker: 3,
  idempotency: 3,
  chain: 7.5,
}

export interface PolicyCosts {
  /** What, microseconds for a message, what is added by it, rounds. */
  readonly rows: readonly (readonly string[])[]
  readonly goals: readonly Goal[]
}

/** What each policy adds to what a message costs without any: the median of what it added in each round. */
export function policyCosts(
  messages: number,
  times: Readonly<Record<PolicyName, readonly FlowTime[]>>,
): PolicyCosts {
  const micros = (name: PolicyName): number[] =>
    times[name].map(({ processor }) => (processor / messages) * 1e6)
  const without = micros('none')
  const added = (name: PolicyName): number =>
    median(micros(name).map((cost, round) => cost - (without[round] ?? Number.NaN)))
  return {
    rows: policyNames.map((name) => [
      name === 'none' ? 'no middleware' : name,
      `${median(micros(name)).toFixed(2)} us`,
      name === 'none' ? '' : `${added(name).toFixed(2)} us`,
      '',
      String(without.length),
    ]),
    goals: Object.entries(wanted).map(([name, most]) => ({
      name: `middleware.${name}`,
      measured: added(name as PolicyName),
      wanted: most,
      unit: 'us',
      kind: 'atMost',
    })),
  }
}
