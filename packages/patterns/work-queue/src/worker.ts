import type { ConsumeOptions, Consumer, Message, PauseOptions } from '@posthorn/transport'
import type { RateLimit } from './rate-limit.ts'

/** A running worker: a `Consumer` of the queue that counts what it does. */
export interface Worker<Type extends string = string> extends Consumer {
  /** Starts no further task, or none of these types, until `resume`. Spends no attempt. */
  pause(options?: TypePauseOptions<Type>): void
  resume(options?: TypePauseOptions<Type>): void
  stats(): WorkerCounts
}

export interface TypePauseOptions<Type extends string> extends PauseOptions {
  readonly types?: readonly Type[]
}

/** What workers have done since they were started. */
export interface WorkerCounts {
  /** Tasks handled to the end. */
  readonly done: number
  /** Attempts that failed: those retried and those dead-lettered. */
  readonly failed: number
  readonly retried: number
  /** Dead letters of tasks that were handled; those that could not be read show in the depth only. */
  readonly deadLettered: number
}

/** How a worker takes tasks: what `transport.consume` knows, and what is here. */
export interface WorkOptions<Type extends string = string> extends ConsumeOptions {
  /** Starts no more tasks than this. Per worker: three workers start three times as many. Default: no limit. */
  readonly rateLimit?: RateLimit
  /** Called when a task has been handled; its ack may be on its way still. What it throws harms nobody. */
  readonly onDone?: (message: Message<unknown, Type>, done: TaskDone) => unknown
  /** Called when an attempt has failed and what becomes of the task is decided. What it throws harms nobody. */
  readonly onFailed?: (message: Message<unknown, Type>, failed: TaskFailed) => unknown
}

export interface TaskDone {
  readonly attempt: number
  /** Milliseconds from the start of this attempt. */
  readonly durationMs: number
  /** What the handler returned. */
  readonly result: unknown
}

export interface TaskFailed {
  /** What the handler threw; `undefined` when it asked for a retry or dead letter without one. */
  readonly error: unknown
  /** The one that failed. */
  readonly attempt: number
  /** Milliseconds from the start of this attempt. */
  readonly durationMs: number
  readonly outcome: { readonly retryInMs: number } | { readonly deadLetter: string }
}
