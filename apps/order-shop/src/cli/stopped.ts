import { isClean } from '../judge/judge.ts'
import type { ShopOutcome } from '../run/run-shop.ts'

/** Whether something of the Posthorn version is left undone. */
function isLeft({ posthorn: { report } }: ShopOutcome, lines: number): boolean {
  const { left, published } = report
  if (left === undefined) return false
  return (
    published < lines ||
    left.unfinished > 0 ||
    left.unconfirmed > 0 ||
    Object.values(left.queued).some((count) => count > 0)
  )
}

/** What is left of a Posthorn version that was told to end, for people. */
export function writeStopped(outcome: ShopOutcome, lines: number, inMemory: boolean): string[] {
  const { report, done, deadLetters } = outcome.posthorn
  if (report.left === undefined) {
    return ['Stopped while the naive version ran; the Posthorn version had ended.']
  }
  const { queued, unfinished, unconfirmed } = report.left
  const waiting = Object.entries(queued).filter(([, count]) => count > 0)
  const total = waiting.reduce((sum, [, count]) => sum + count, 0)
  return [
    `Stopped: handlers ended what they had in hand, nothing new was taken.`,
    `  published     ${report.published} of ${lines} orders`,
    `  done          ${done.charges} charges, ${done.reservations} reservations, ${done.sales} sales booked,`,
    `                ${done.emails} e-mails, ${done.images} pictures, ${done.reports} reports, ${deadLetters.length} dead letters`,
    `  still queued  ${total}`,
    ...waiting.map(([source, count]) => `                ${source.padEnd(18)}${String(count).padStart(5)}`),
    `  cut off       ${unfinished} handlers, ${unconfirmed} sends without an answer`,
    ...(inMemory && total > 0
      ? ['What is queued in memory ends with this process; a broker on disk keeps it.']
      : []),
  ]
}

/** 0, or 1 where the Posthorn version is not clean or something is left. */
export function exitCodeOf(outcome: ShopOutcome, lines: number): number {
  if (outcome.posthorn.report.left !== undefined) return isLeft(outcome, lines) ? 1 : 0
  return isClean(outcome.posthorn.verdict) ? 0 : 1
}
