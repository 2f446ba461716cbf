export { createDeadLetterTools } from './create-dead-letter-tools.ts'
export { explain } from './explain.ts'
export { retry } from './retry.ts'
export type { RetryPolicy } from './retry.ts'
export type {
  Backoff,
  ErrorClass,
  ExponentialBackoff,
  FailureRule,
  RetryOptions,
  ScheduleOptions,
} from './retry-options.ts'
export type { RunAttempt, RunOptions } from './run-retrying.ts'
export type { DeadLetterFilter } from './dead-letter-filter.ts'
export type {
  DeadLetterReport,
  DeadLetterTools,
  ListOptions,
  ReplayOptions,
  WalkOptions,
} from './dead-letter-tools.ts'
export type { DeadLetterView } from './dead-letter-view.ts'
export type { DeadLetterChanges, EditDeadLetter } from './edit-dead-letter.ts'
export type { DeadLetterGroup, DeadLetterGroups } from './group-dead-letters.ts'
