/** Something to measure, of one client, by its name in the scenario. The queue must not be there yet. */
export interface Task {
  readonly url: string
  readonly client: string
  readonly queue: string
  readonly kind: string
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
