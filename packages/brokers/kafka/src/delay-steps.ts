/** Milliseconds of each step, which is a partition of a retry topic. */
export const delaySteps: readonly number[] = Array.from({ length: 13 }, (_, step) => 250 * 2 ** step)

/** Of a retry topic: the partitions of the steps come first, then one for each partition of the source. */
export const stepCount: number = delaySteps.length

const longestMs = delaySteps.at(-1)!

/** Where something waits that must not come for `delayMs`: rounded up, and in several goes where it is longer than all. */
export function stepFor(delayMs: number): number {
  if (delayMs >= longestMs) return stepCount - 1
  return delaySteps.findIndex((stepMs) => stepMs >= delayMs)
}

/**
 * The partition of a retry topic that holds what can be handed out at once, and belongs to a partition of the source. `count` is
 * how many there are: partitions that the source got later may have none of their own.
 */
export function readyPartition(partition: number, count: number): number {
  return stepCount + (partition % Math.max(1, count))
}

/** How many partitions of a retry topic are ready ones, of all that it has. */
export function readyCount(partitions: number): number {
  return Math.max(0, partitions - stepCount)
}

/** The partition of the source that a copy says it is of, unless it says nothing that can be. */
export function readyLine(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : undefined
}
