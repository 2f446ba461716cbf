import { answerAll } from '../in-child.ts'
import type { BenchClient, ClientName } from './bench-client.ts'

/** Something to measure, of one client. The queue must not be there yet. */
export interface Task {
  readonly url: string
  readonly client: ClientName
  readonly queue: string
  readonly kind: 'publish' | 'consume' | 'exchange'
  readonly messages: number
}

export interface TaskResult {
  /** Seconds on the wall. */
  readonly wall: number
  /** Seconds of this process's processor time, which other processes on the machine do not add to. */
  readonly processor: number
  /** Milliseconds for each message, of an exchange. */
  readonly times: readonly number[]
}

/** Loads nothing of the others' into the process. */
async function open({ client, url, queue }: Task): Promise<BenchClient> {
  if (client === 'posthorn') return (await import('./posthorn-client.ts')).openPosthorn(url)
  if (client === 'rascal') return (await import('./rascal-client.ts')).openRascal(url, queue)
  return (await import('./raw-client.ts')).openRaw(url, client === 'raw, ack each' ? 1 : 50)
}

answerAll(async (task: Task): Promise<TaskResult> => {
  const { kind, queue, messages } = task
  const client = await open(task)
  try {
    if (kind === 'consume') await client.publish(queue, messages)
    globalThis.gc?.()
    const startedAt = process.hrtime.bigint()
    const before = process.cpuUsage()
    let times: readonly number[] = []
    if (kind === 'publish') await client.publish(queue, messages)
    else if (kind === 'consume') await client.consume(queue, messages)
    else times = await client.exchange(queue, messages)
    const { user, system } = process.cpuUsage(before)
    return {
      wall: Number(process.hrtime.bigint() - startedAt) / 1e9,
      processor: (user + system) / 1e6,
      times,
    }
  } finally {
    await client.close()
  }
})
