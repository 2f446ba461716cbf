import type { Management } from './management.ts'
import type { Depth } from '@posthorn/transport/driver'

export interface DepthQuestions {
  /** The queues of the source. */
  readonly queues: readonly string[]
  readonly management: Management | undefined
  /** How many messages are ready in the queue. */
  ready(queue: string): Promise<number>
  deadLettered(): Promise<number>
}

/** What waits at a source, over all of its queues. Rejects where a queue is missing. */
export async function sourceDepth(questions: DepthQuestions): Promise<Depth> {
  const { queues, management } = questions
  const [ready, statistics, deadLettered] = await Promise.all([
    Promise.all(queues.map((queue) => questions.ready(queue))),
    Promise.all(queues.map(async (queue) => management?.statistics(queue))),
    questions.deadLettered(),
  ])
  const inFlight = statistics.map((one) => one?.inFlight)
  // What the management API says is older.
  const ages = statistics.flatMap((one, index) => (ready[index] === 0 ? [] : (one?.oldestAgeMs ?? [])))
  return {
    ready: sum(ready),
    // The steps are shared by all sources.
    delayed: undefined,
    inFlight: inFlight.includes(undefined) ? undefined : sum(inFlight as number[]),
    deadLettered,
    oldestAgeMs: ages.length === 0 ? undefined : Math.max(...ages),
    lag: undefined,
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
