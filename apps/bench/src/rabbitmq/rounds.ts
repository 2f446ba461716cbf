import { startChild, type Child } from '../in-child.ts'
import { clientNames, type ClientName } from './bench-client.ts'
import type { Task, TaskResult } from './contender-child.ts'

export interface RoundsOptions {
  readonly url: string
  readonly rounds: number
  /** How many each one handles, by kind; rascal a fifth of them, of which it makes as long. */
  readonly messages: Readonly<Record<Task['kind'], number>>
  /** Removes the queue of a task that is done. */
  readonly deleteQueue: (queue: string) => Promise<void>
}

/** One client's figures of one kind, a round each. */
export interface Series {
  readonly kind: Task['kind']
  readonly client: ClientName
  readonly messages: number
  readonly results: readonly TaskResult[]
}

const kinds: readonly Task['kind'][] = ['publish', 'consume', 'exchange']

/**
 * Has the contenders, each in a process of its own that lives for all rounds, do the same in turn. A first round, for the
 * compiler, is not counted.
 */
export async function runRounds({
  url,
  rounds,
  messages,
  deleteQueue,
}: RoundsOptions): Promise<readonly Series[]> {
  const children = new Map<ClientName, Child>(
    clientNames.map((client) => [client, startChild('./rabbitmq/contender-child.ts')]),
  )
  const series = kinds.flatMap((kind) =>
    contendersOf(kind).map((client) => {
      const results: TaskResult[] = []
      return { kind, client, messages: messages[kind] / (client === 'rascal' ? 5 : 1), results }
    }),
  )
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const { kind, client, messages: count, results } of series) {
        const queue = `bench.${kind}.${round}.${clientNames.indexOf(client)}`
        const task: Task = { url, client, queue, kind, messages: count }
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

/** How raw clients ack makes a difference to what is consumed only. */
function contendersOf(kind: Task['kind']): readonly ClientName[] {
  return kind === 'consume' ? clientNames : clientNames.filter((client) => client !== 'raw, acks by 50')
}
