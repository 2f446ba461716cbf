import { answerAll } from '../in-child.ts'
import type { Task, TaskResult } from './task.ts'

/** How to do one kind of task. */
export interface Act<Client> {
  /** Not measured. */
  prepare?(client: Client, task: Task): Promise<void>
  /** Answers the milliseconds of each message, of an exchange. What was before `begins` is not measured. */
  run(client: Client, task: Task, begins: () => void): Promise<readonly number[] | void>
}

/** For the module in a contender's process: opens a client for each task, and measures. */
export function answerTasks<Client extends { close(): Promise<void> }>(
  open: (task: Task) => Promise<Client>,
  acts: Readonly<Record<string, Act<Client>>>,
): void {
  answerAll(async (task: Task): Promise<TaskResult> => {
    const act = acts[task.kind]
    if (act === undefined) throw new Error(`Nobody knows how to ${task.kind}.`)
    const client = await open(task)
    try {
      await act.prepare?.(client, task)
      globalThis.gc?.()
      let startedAt = process.hrtime.bigint()
      let before = process.cpuUsage()
      const times = await act.run(client, task, () => {
        startedAt = process.hrtime.bigint()
        before = process.cpuUsage()
      })
      const { user, system } = process.cpuUsage(before)
      return {
        wall: Number(process.hrtime.bigint() - startedAt) / 1e9,
        processor: (user + system) / 1e6,
        times: times ?? [],
      }
    } finally {
      await client.close()
    }
  })
}
