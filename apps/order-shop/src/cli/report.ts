import { fileURLToPath } from 'node:url'
import { relative } from 'node:path'
import { describeDeadLetters } from './describe-dead-letters.ts'
import type { Paint } from './paint.ts'
import { drawCounts, drawTable } from './table.ts'
import { faultsOf, isClean } from '../judge/judge.ts'
import type { Verdict } from '../judge/judge.ts'
import type { ShopOutcome } from '../run/run-shop.ts'

/** What a run comes to, for people. `deadLetters`: with a line for each. */
export function writeReport(
  outcome: ShopOutcome,
  { out, deadLetters }: { readonly out: string; readonly deadLetters: boolean },
  paint: Paint,
): string[] {
  const { posthorn, naive, plan } = outcome
  const { restarts, groups } = posthorn.report
  return [
    ...drawTable(outcome, paint),
    '',
    ...drawCounts(outcome, paint),
    '',
    ...(plan.reach === 'memory'
      ? []
      : [`Posthorn: ${restarts} processes killed with -9 and started again`, '']),
    'Posthorn: its dead letters, by what went wrong, with the newest error of each',
    ...describeDeadLetters(groups, posthorn.deadLetters, deadLetters),
    ...(groups.some(({ reason }) => reason === 'attempts-exhausted')
      ? [paint('dim', '  --replay gives back what ran out of attempts, when its cause is repaired.')]
      : []),
    '',
    ...writeVerdict(posthorn.verdict, paint),
    '',
    ...(naive === undefined ? [] : [`The naive version   ${locate('naive-version.ts')}`]),
    `The services        ${locate('services')}`,
    `All that was done   ${out}`,
  ]
}

/** Of a file in `src`, from where one is. */
export function locate(file: string): string {
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url))
  const near = relative(process.cwd(), path)
  return near.startsWith('..') ? path : near
}

function writeVerdict(verdict: Verdict, paint: Paint): string[] {
  if (isClean(verdict)) {
    return [
      paint('green', 'Posthorn: clean.') + ' Each good order was done once and in order, or a dead letter',
      'says why not; each bad order is a dead letter with its reason.',
    ]
  }
  const shown = faultsOf(verdict).map(
    ([name, value]) => `  ${name}: ${Array.isArray(value) ? value.slice(0, 5).join(', ') : String(value)}`,
  )
  return [paint('red', 'Posthorn: NOT clean.') + ' That is a defect, or the files were changed:', ...shown]
}
