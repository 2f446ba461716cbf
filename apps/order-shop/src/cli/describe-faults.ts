import { slowMs } from '../faults/fault-plan.ts'
import type { FaultPlan, Strike } from '../faults/fault-plan.ts'

/** What goes wrong in a run, in lines of at most 76 characters. */
export function describeFaults(plan: FaultPlan): string[] {
  const { failures, slow, poison, lostConfirmations, duplicates, reach } = plan
  const calls = [
    `${plural(failures.size, 'call')} refused once or twice, ${slow.size} that take ${slowMs} ms`,
    ...(poison === undefined ? [] : [`the e-mail of ${poison} refused for ever`]),
  ]
  const struck = (kind: Strike['kind'], party: Strike['party']): string =>
    times(plan.strikes.filter((strike) => strike.kind === kind && strike.party === party).length)
  if (reach !== 'memory') {
    return [
      ...calls,
      `payment is killed with -9 ${struck('crash', 'payment')}, a worker ${struck('crash', 'mail')}, inside a handler`,
      ...(reach === 'processes'
        ? []
        : [
            `the connection of inventory is cut ${struck('cut', 'warehouse')}, inside a handler`,
            `that of order ${times(lostConfirmations.length)}, while it publishes`,
          ]),
      '(the naive version meets them simulated, in memory)',
    ]
  }
  return [
    ...calls,
    `payment crashes ${struck('crash', 'payment')}, a worker ${struck('crash', 'mail')}, inside a handler (simulated)`,
    `the connection of inventory is cut ${struck('cut', 'warehouse')}, inside a handler (simulated)`,
    `${plural(lostConfirmations.length, 'confirmation')} lost, ${plural(duplicates.length, 'event')} delivered twice (simulated)`,
  ]
}

function times(count: number): string {
  return ['never', 'once', 'twice'][count] ?? `${count} times`
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
