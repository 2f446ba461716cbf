import { answerAll } from '../in-child.ts'
import type { FlowTime } from '../flow.ts'
import type { Database, RecordClient, RecordClientName } from './record-client.ts'

export interface RecordsTask {
  readonly database: Database
  readonly url: string
  readonly client: RecordClientName
  readonly records: number
}

/** Loads nothing of the others' into the process. */
async function open({ database, url, client }: RecordsTask): Promise<RecordClient> {
  return database === 'redis'
    ? (await import('./redis-records.ts')).openRedis(url, client)
    : (await import('./postgres-records.ts')).openPostgres(url, client)
}

let opened: RecordClient | undefined

answerAll(async (task: RecordsTask): Promise<FlowTime> => {
  opened ??= await open(task)
  globalThis.gc?.()
  const startedAt = process.hrtime.bigint()
  const before = process.cpuUsage()
  await opened.run(task.records)
  const { user, system } = process.cpuUsage(before)
  const wall = Number(process.hrtime.bigint() - startedAt) / 1e9
  await opened.clear()
  return { wall, processor: (user + system) / 1e6 }
})
