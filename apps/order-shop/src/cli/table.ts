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

/** Both versions side by side, in 76 columns. */
export function drawTable(
  { plan, expected, posthorn, naive }: Pick<ShopOutcome, 'plan' | 'expected' | 'posthorn' | 'naive'>,
  paint: Paint,
): string[] {
  const verdicts = [posthorn.verdict, ...(naive === undefined ? [] : [naive.verdict])]
  const cell = (row: Row, verdict: Verdict): string => {
    const wrong = row.wrong?.(verdict)
    const text = (row.show?.(verdict) ?? (wrong === undefined ? '' : count(wrong))).padStart(columnWidth)
    return wrong === undefined ? text : paint(wrong === 0 ? 'green' : 'red', text)
  }
  const header = ['Posthorn', ...(naive === undefined ? [] : ['naive'])].map((name) =>
    name.padStart(columnWidth),
  )
  return [
    paint('bold', 'Counted from the files written'.padEnd(labelWidth) + header.join('')),
    '-'.repeat(labelWidth + columnWidth * header.length),
    ...rows(expected.orders.length, expected.bad.length, plan.poison !== undefined).map((row) =>
      `${row.label.padEnd(labelWidth)}${verdicts.map((verdict) => cell(row, verdict)).join('')}`.trimEnd(),
    ),
  ]
}

function rows(good: number, bad: number, hasPoison: boolean): readonly Row[] {
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
    ...(hasPoison ? [poison] : []),
  ]
}

const poison: Row = {
  label: 'Calls spent on the one e-mail that nobody takes',
  show: ({ mostRefusals }) => count(mostRefusals),
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}
