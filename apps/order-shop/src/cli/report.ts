import { fileURLToPath } from 'node:url'
import { relative } from 'node:path'
import { describeDeadLetters } from './describe-dead-letters.ts'
import type { Paint } from './paint.ts'
import { drawTable } from './table.ts'
import { isClean } from '../judge/judge.ts'
import type { Verdict } from '../judge/judge.ts'
import type { ShopOutcome } from '../run/run-shop.ts'

/** What a run comes to, for people. */
export function writeReport(outcome: ShopOutcome, out: string, paint: Paint): string[] {
  const { posthorn, naive, plan } = outcome
  const { restarts } = posthorn.report
  return [
    ...drawTable(outcome, paint),
    '',
    ...(plan.reach === 'memory'
      ? []
      : [`Posthorn: ${restarts} processes killed with -9 and started again`, '']),
    'Posthorn: its dead letters, by reason, with the first error of each',
    ...describeDeadLetters(posthorn.deadLetters),
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
  const shown = Object.entries(verdict)
    .filter(
      ([name, value]) =>
        name !== 'deadLetters' &&
        name !== 'mostRefusals' &&
        (Array.isArray(value) ? value.length > 0 : value !== 0),
    )
    .map(
      ([name, value]: [string, unknown]) =>
        `  ${name}: ${Array.isArray(value) ? value.slice(0, 5).join(', ') : String(value)}`,
    )
  return [paint('red', 'Posthorn: NOT clean.') + ' That is a defect, or the files were changed:', ...shown]
}
