/** A client library at its best, as the scenario has it work. Bodies are 256 bytes, in quorum queues. */
export interface BenchClient {
  /** Publishes so many messages by single calls, `inFlight` of them unconfirmed at a time; resolves with the last confirmation. */
  publish(queue: string, messages: number): Promise<void>
  /** Resolves when so many have been handled. */
  consume(queue: string, messages: number): Promise<void>
  /**
   * One message at a time, a hundred first that do not count. Milliseconds from the call until the message was both
   * confirmed and handled, of each.
   */
  exchange(queue: string, messages: number): Promise<readonly number[]>
  close(): Promise<void>
}

/** The contenders by name. */
export const clientNames = ['posthorn', 'raw, ack each', 'raw, acks by 50', 'rascal'] as const
export type ClientName = (typeof clientNames)[number]

export const body: Buffer = Buffer.alloc(256, 'x')

/** Publishes that are not confirmed. */
export const inFlight = 1000

/** Deliveries that are not acked. */
export const prefetch = 1000
