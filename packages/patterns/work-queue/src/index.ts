export { createWorkQueue } from './create-work-queue.ts'
export type { RateLimit } from './rate-limit.ts'
export type {
  AddOptions,
  DrainOptions,
  DrainReport,
  NewTask,
  TaskHandlers,
  TaskOptions,
  WorkQueue,
  WorkQueueStats,
} from './work-queue.ts'
export type { TaskDone, TaskFailed, Worker, WorkerCounts, WorkOptions } from './worker.ts'
