import type { Paint } from './paint.ts'
import type { Verdict } from '../judge/judge.ts'
import type { ShopOutcome } from '../run/run-shop.ts'

interface Row {
  readonly label: string
  /** What is wrong unless it is 0; `undefined` for what says nothing by itself. */
  readonly wrong?: (verdict: Verdict) => number
  readonly show?: (verdict: Verdict) => string
}

const labelWidth = 50
const columnWidth = 13

type Columns = Pick<ShopOutcome, 'plan' | 'expected' | 'posthorn' | 'naive'>

/** Both versions side by side, in 76 columns: what became of the orders. */
export function drawTable({ expected, posthorn, naive }: Columns, paint: Paint): string[] {
  const verdicts = [posthorn.verdict, ...(naive === undefined ? [] : [naive.verdict])]
  const cell = (row: Row, verdict: Verdict): string => {
    const wrong = row.wrong?.(verdict)
    const text = (row.show?.(verdict) ?? (wrong === undefined ? '' : count(wrong))).padStart(columnWidth)
    return wrong === undefined ? text : paint(wrong === 0 ? 'green' : 'red', text)
  }
  return [
    ...head('Counted from the files written', verdicts.length, paint),
    ...rows(expected.orders.length, expected.bad.length).map((row) =>
      `${row.label.padEnd(labelWidth)}${verdicts.map((verdict) => cell(row, verdict)).join('')}`.trimEnd(),
    ),
  ]
}

/** And how: what it took, and what had to be borne. A version that has no such thing shows a dash. */
export function drawCounts({ plan, posthorn, naive }: Columns, paint: Paint): string[] {
  const { events, replayed } = posthorn.report
  const metrics = naive?.report.metrics
  const counts: (readonly [label: string, posthorn: number, naive: number | undefined])[] = [
    ['Duplicates recognised, and not done again', posthorn.verdict.repetitions, metrics?.duplicates],
    ['Attempts that failed and were made again', events.retried, metrics?.retried],
    ['Times that a circuit breaker opened', events.breakerOpened, undefined],
    ['Dead letters replayed', replayed, undefined],
  ]
  if (plan.outage !== undefined) {
    const calls = 'Calls to the payment provider while it was down'
    counts.push([calls, posthorn.verdict.callsWhileDown, naive?.verdict.callsWhileDown])
  }
  if (plan.poison !== undefined) {
    const calls = 'Calls spent on the one e-mail to a full mailbox'
    counts.push([calls, posthorn.verdict.mostRefusals, naive?.verdict.mostRefusals])
  }
  const cell = (value: number | undefined): string =>
    (value === undefined ? '-' : count(value)).padStart(columnWidth)
  return [
    ...head('What it took', naive === undefined ? 1 : 2, paint),
    ...counts.map(
      ([label, ours, theirs]) =>
        `${label.padEnd(labelWidth)}${cell(ours)}${naive === undefined ? '' : cell(theirs)}`,
    ),
  ]
}

function head(title: string, versions: number, paint: Paint): string[] {
  const names = ['Posthorn', 'naive'].slice(0, versions).map((name) => name.padStart(columnWidth))
  return [
    paint('bold', title.padEnd(labelWidth) + names.join('')),
    '-'.repeat(labelWidth + columnWidth * versions),
  ]
}

function rows(good: number, bad: number): readonly Row[] {
  return [
    { label: `${count(good)} good orders` },
    { label: '  lost: something not done, and nothing says why', wrong: ({ lost }) => lost.length },
    { label: '    not charged', wrong: ({ notCharged }) => notCharged.length },
    { label: '    goods not reserved', wrong: ({ notReserved }) => notReserved.length },
    { label: '    missing in the sales book', wrong: ({ notRecorded }) => notRecorded.length },
    { label: '    e-mail not sent', wrong: ({ emailsMissing }) => emailsMissing.length },
    { label: '  charged twice', wrong: ({ chargedTwice }) => chargedTwice.length },
    {
      label: '  reserved or booked twice',
      wrong: ({ reservedTwice, recordedTwice }) => new Set([...reservedTwice, ...recordedTwice]).size,
    },
    { label: '  e-mail sent twice', wrong: ({ emailsTwice }) => emailsTwice.length },
    { label: '  out of order: effects done after a later one', wrong: ({ outOfOrder }) => outOfOrder },
    { label: `${count(bad)} bad orders` },
    { label: '  not explained by a dead letter', wrong: ({ badUnexplained }) => badUnexplained },
    { label: '  money taken for it', wrong: ({ badCharged }) => badCharged.length },
    { label: 'Dead letters', show: ({ deadLetters }) => count(deadLetters) },
    {
      label: '  without a reason and an error',
      wrong: ({ deadLettersUnexplained }) => deadLettersUnexplained,
    },
    { label: 'Pictures and reports not made', wrong: ({ tasksLost }) => tasksLost.length },
    {
      label: 'The report on all sales is off by (EUR)',
      wrong: ({ reportOffBy }) => reportOffBy ?? 1,
      show: ({ reportOffBy }) => (reportOffBy === undefined ? 'no report' : (reportOffBy / 100).toFixed(2)),
    },
  ]
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}
