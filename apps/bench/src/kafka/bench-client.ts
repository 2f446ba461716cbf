/** A client library at its best, as the scenario has it work. Values are 256 bytes of JSON, in four partitions. */
export interface BenchClient {
  /** Makes the queue, where that is more than a topic. */
  declare(queue: string): Promise<void>
  /**
   * Publishes so many, a thousand of them unconfirmed at a time; resolves with the last confirmation. With `keys`, to as
   * many of them in turn.
   */
  publish(queue: string, messages: number, keys?: number): Promise<void>
  /** Resolves when so many have been decoded and handled. Calls `begins` with the first. */
  consume(queue: string, messages: number, begins: () => void): Promise<void>
  /** The same with handlers that take 5 ms, as many at a time as the order of each key allows, 16 at the most. */
  handle(queue: string, messages: number, begins: () => void): Promise<void>
  /**
   * One message at a time, a hundred first that do not count. Milliseconds from the call until the message was both
   * confirmed and handled, of each.
   */
  exchange(queue: string, messages: number): Promise<readonly number[]>
  close(): Promise<void>
}

/** The contenders by name. */
export type ClientName =
  | 'posthorn'
  | 'posthorn on platformatic'
  | 'kafkajs'
  | 'kafkajs, eachBatch'
  | 'platformatic'

/** Publishes that are not confirmed; raw clients send as many in a batch. */
export const inFlight = 1000
/** Deliveries that are not acked. */
export const prefetch = 2000
export const handlers = 16
/** Milliseconds of a handler. */
export const handlerMs = 5

export function keyOf(index: number, keys: number | undefined): string | undefined {
  return keys === undefined ? undefined : `customer-${index % keys}`
}

/** Of the topics of a kind of task. */
export function partitionsOf(kind: string): number {
  return kind === 'handle' ? 1 : 4
}
