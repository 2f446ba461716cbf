import { outageMs, slowMs } from '../faults/fault-plan.ts'
import type { FaultPlan, Strike } from '../faults/fault-plan.ts'

/** What goes wrong in a run, in lines of at most 76 characters. */
export function describeFaults(plan: FaultPlan): string[] {
  const { failures, slow, poison, outage, sentTwice, lostConfirmations, duplicates, reach } = plan
  const calls = [
    `${plural(failures.size, 'call')} refused once or twice, ${slow.size} that take ${slowMs} ms`,
    ...(outage === undefined
      ? []
      : [`the payment provider is down for ${outageMs / 1_000} s, from ${outage} on`]),
    ...(poison === undefined ? [] : [`the e-mail of ${poison} refused, its mailbox is full`]),
    `${plural(sentTwice.length, 'order')} handed over twice, by a shop front that got no answer`,
  ]
  const struck = (kind: Strike['kind'], party: Strike['party']): string =>
    times(plan.strikes.filter((strike) => strike.kind === kind && strike.party === party).length)
  const verb = reach === 'memory' ? 'crashes' : 'is killed with -9'
  return [
    ...calls,
    `payment ${verb} ${struck('crash', 'charges')}, right before or after a commit`,
    `a worker ${verb} ${struck('crash', 'mail')}, between an e-mail and its ack`,
    ...(reach === 'processes'
      ? []
      : [`inventory is cut off ${struck('cut', 'warehouse')}, inside a handler`]),
    ...(reach === 'processes and connections'
      ? [`order is cut off ${times(lostConfirmations.length)}, while it publishes`]
      : []),
    ...(reach === 'memory'
      ? [
          `${plural(lostConfirmations.length, 'confirmation')} lost, ${plural(duplicates.length, 'event')} delivered twice`,
          '(all in one process, so that crashes are simulated)',
        ]
      : ['(the naive version meets them simulated, in memory)']),
  ]
}

function times(count: number): string {
  return ['never', 'once', 'twice'][count] ?? `${count} times`
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
