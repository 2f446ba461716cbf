import { findBroken } from './broken.ts'
import type { SoakOptions, SoakResult } from './run-soak.ts'

/** What a soak came to, for people. */
export function writeReport(
  result: SoakResult,
  { messages, restarts, seed, ordered }: Pick<SoakOptions, 'messages' | 'restarts' | 'seed' | 'ordered'>,
): string {
  const { server, verdict, faults, tookMs, memory } = result
  const broken = findBroken(result)
  const perSecond = (amount: number): string => `${count(Math.round(amount / (tookMs / 1_000)))}/s`
  const kinds = new Map<string, number>()
  for (const { kind } of faults) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)

  return [
    `Soak on ${server}: ${count(messages)} messages, ${restarts} ${restarts === 1 ? 'restart' : 'restarts'}, seed ${seed}${ordered ? ', ordered by key' : ''}`,
    '',
    row('Messages confirmed', count(verdict.confirmed)),
    row('  sends that ended unknown, and were repeated', count(verdict.unknown)),
    row('  sends that were rejected, and were repeated', count(verdict.rejected)),
    row('  sent again after their producer was killed', count(verdict.sentAgain)),
    row('Messages handled', count(verdict.handled)),
    row('  confirmed and not handled', count(verdict.lost.count)),
    row('  at a later attempt than the first', count(verdict.retried)),
    ...(ordered ? [row('  after a later one of their key', count(verdict.outOfOrder.count))] : []),
    row('Handled again (duplicates)', count(verdict.duplicates)),
    ...Object.entries(verdict.explained).map(([reason, amount]) => row(`  by ${reason}`, count(amount))),
    row('  without an explanation', count(verdict.unexplained.count)),
    row(
      'Left in queues and dead letters',
      count(Object.values(result.left).reduce((sum, each) => sum + each, 0)),
    ),
    '',
    row('Faults', count(faults.length)),
    ...[...kinds.keys()].toSorted().map((kind) => row(`  ${kind}`, count(kinds.get(kind) ?? 0))),
    '',
    row('Time', `${(tookMs / 1_000).toFixed(1)} s`),
    row('  confirmed, faults included', perSecond(verdict.confirmed)),
    row('  handled, faults included', perSecond(verdict.handled)),
    'Largest resident memory',
    ...Object.entries(memory).map(([name, bytes]) =>
      row(`  ${name}`, `${Math.round(bytes / 1_048_576)} MiB`),
    ),
    '',
    ...(broken.length === 0
      ? ['Kept: all that was confirmed is done, duplicates are explained, nothing is left.']
      : ['BROKEN:', ...broken.map((line) => `  ${line}`), `The ledgers: ${result.folder}`]),
    '',
  ].join('\n')
}

function row(label: string, value: string): string {
  return label.padEnd(54) + value.padStart(14)
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}
