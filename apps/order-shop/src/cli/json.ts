import { locate } from './report.ts'
import type { ShopArguments } from './shop-arguments.ts'
import { isClean } from '../judge/judge.ts'
import type { Column, ShopOutcome } from '../run/run-shop.ts'

interface RunFacts extends Pick<ShopArguments, 'seed' | 'quick'> {
  readonly out: string
  readonly from: string
  readonly lines: number
  readonly time: string
  readonly exitCode: number
}

/** What a run comes to, for programs. */
export function toJson(
  { plan, expected, posthorn, naive }: ShopOutcome,
  { seed, quick, out, from, lines, time, exitCode }: RunFacts,
): string {
  const document = {
    seed,
    quick,
    time,
    orders: { from, lines, good: expected.orders.length, bad: expected.bad.length },
    faults: {
      failingCalls: plan.failures.size,
      slowCalls: plan.slow.size,
      poison: plan.poison ?? null,
      outage: plan.outage ?? null,
      sentTwice: plan.sentTwice,
      strikes: plan.strikes,
      lostConfirmations: plan.lostConfirmations,
      duplicates: plan.duplicates,
    },
    stopped: naive === undefined,
    posthorn: describe(posthorn),
    naive: naive === undefined ? null : describe(naive),
    naiveVersion: locate('naive-version.ts'),
    out,
    exitCode,
  }
  return JSON.stringify(document, undefined, 2) + '\n'
}

function describe<Report>({ report, verdict, tookMs }: Column<Report>): object {
  return { ...report, tookMs, clean: isClean(verdict), verdict }
}
