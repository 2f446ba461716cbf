import type { Context, Depth, Handler, OutgoingMessage, SendOptions } from '@posthorn/transport'
import type { WorkOptions, Worker, WorkerCounts } from './worker.ts'

/** Tasks of one queue, typed by a map from task name to data: what producers give, and what handlers get. */
export interface WorkQueue<Tasks extends object, Handled extends object = Tasks> {
  readonly name: string
  /** Resolves when the broker has confirmed the task; rejects with an `outcome` as `transport.send` does. */
  add<Type extends TaskName<Tasks>>(type: Type, data: Tasks[Type], options?: AddOptions): Promise<void>
  /**
   * Adds a batch. Where one task does not fit its schema, nothing is sent; otherwise it rejects with a
   * `PartialPublishError` unless all are confirmed.
   */
  addMany(tasks: readonly NewTask<Tasks>[], options?: SendOptions): Promise<void>
  /** Starts a worker. Any number of them, in any number of processes, share the tasks. */
  work(
    handlers: TaskHandlers<Handled>,
    options?: WorkOptions<TaskName<Handled>>,
  ): Promise<Worker<TaskName<Handled>>>
  stats(): Promise<WorkQueueStats>
  /**
   * Resolves when nothing is ready, delayed or in flight, or at the deadline; it changes nothing. Asks the broker again
   * and again, so it is as exact as the broker's numbers.
   */
  drain(options?: DrainOptions): Promise<DrainReport>
}

export type TaskName<Tasks> = keyof Tasks & string

/** What a task can have beside its data. */
export interface TaskOptions extends Pick<
  OutgoingMessage,
  'correlationId' | 'delayMs' | 'expiresAt' | 'headers' | 'id' | 'key' | 'priority'
> {}

export interface AddOptions extends TaskOptions, SendOptions {
  /** The context of the handler that adds the task: its message becomes the cause, and each attempt adds the same task. */
  readonly via?: Pick<Context, 'send'>
}

/** One task of a batch. */
export type NewTask<Tasks> = {
  readonly [Type in TaskName<Tasks>]: TaskOptions & { readonly type: Type; readonly data: Tasks[Type] }
}[TaskName<Tasks>]

/** One handler for each task name. */
export type TaskHandlers<Tasks> = { readonly [Type in TaskName<Tasks>]: Handler<Tasks[Type], Type> }

/** The counts are those of this object's workers and its own `add`; the depth is everybody's. */
export interface WorkQueueStats extends WorkerCounts {
  readonly depth: Depth
  /** Tasks that the broker confirmed. */
  readonly added: number
}

export interface DrainOptions {
  /** Milliseconds. Default 30,000. */
  readonly deadlineMs?: number
  /** Aborting rejects with `POSTHORN_ABORTED`. */
  readonly signal?: AbortSignal
}

export interface DrainReport {
  readonly empty: boolean
  /** As the broker said last; `undefined` when it has not answered by the deadline. */
  readonly depth: Depth | undefined
}
