import type { Findings } from './judge/judge.ts'
import type { SoakResult } from './run-soak.ts'

/** Which promises were broken, one line each; none when all was kept. */
export function findBroken({ verdict, left, crashes, stalled }: SoakResult): string[] {
  const { lost, unconfirmed, unexplained, outOfOrder } = verdict
  return [
    ...describe(lost, 'confirmed, and nothing was done'),
    ...describe(unconfirmed, 'never confirmed'),
    ...describe(unexplained, 'done again, and no fault or repeated send explains it'),
    ...describe(outOfOrder, 'done after a later message of their key'),
    ...Object.entries(left).map(([place, amount]) => `${amount} left in ${place}`),
    ...crashes.map((output) => `a process ended by itself: ${output}`),
    ...(stalled ? ['nothing moved any more, and it was given up'] : []),
  ]
}

function describe(findings: Findings, what: string): string[] {
  if (findings.count === 0) return []
  return [`${findings.count} ${what}: ${findings.first.map((number) => `soak-${number}`).join(', ')}`]
}
