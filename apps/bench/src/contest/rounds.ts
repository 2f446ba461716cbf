import { startChild, type Child } from '../in-child.ts'
import type { Task, TaskResult } from './task.ts'

/** Who does what, with how many messages. */
export interface Contender extends Pick<Task, 'kind' | 'client' | 'messages'> {}

export interface RoundsOptions {
  readonly url: string
  readonly rounds: number
  /** The module that answers tasks, as seen from the bench's folder. */
  readonly module: string
  readonly contenders: readonly Contender[]
  /** Makes the queue of a task before it begins, where that is not the client's own to do. */
  readonly makeQueue?: (task: Task) => Promise<void>
  /** Removes the queue of a task that is done. */
  readonly deleteQueue: (queue: string) => Promise<void>
}

/** One client's figures of one kind, a round each. */
export interface Series extends Contender {
  readonly results: readonly TaskResult[]
}

/**
 * Has the contenders, each client in a process of its own that lives for all rounds, do the same in turn. A first round,
 * for the compiler, is not counted.
 */
export async function runRounds({
  url,
  rounds,
  module,
  contenders,
  makeQueue,
  deleteQueue,
}: RoundsOptions): Promise<readonly Series[]> {
  const names = [...new Set(contenders.map(({ client }) => client))]
  const children = new Map<string, Child>(names.map((client) => [client, startChild(module)]))
  const series = contenders.map((contender) => {
    const results: TaskResult[] = []
    return { ...contender, results }
  })
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const { kind, client, messages, results } of series) {
        const queue = `bench.${kind}.${round}.${names.indexOf(client)}`
        const task: Task = { url, client, queue, kind, messages }
        await makeQueue?.(task)
        const result = await (children.get(client) as Child).ask<TaskResult>(task)
        if (round > 0) results.push(result)
        await deleteQueue(queue)
      }
    }
  } finally {
    for (const child of children.values()) child.end()
  }
  return series
}

/** Of all rounds, for the JSON file. */
export function summary({ kind, client, messages, results }: Series): unknown {
  return { kind, client, messages, rounds: results.map(({ wall, processor }) => ({ wall, processor })) }
}
