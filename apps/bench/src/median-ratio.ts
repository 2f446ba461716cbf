import { median } from './median.ts'

/** The median of the ratios of figures that were taken in turn, so that a change of the machine's speed cancels out. */
export function medianRatio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((figure, round) => figure / (theirs[round] ?? Number.NaN)))
}
