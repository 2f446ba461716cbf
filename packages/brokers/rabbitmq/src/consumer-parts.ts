import type { Delays } from './delays.ts'
import type { Publisher } from './publisher.ts'
import type { Clock } from '@posthorn/transport/driver'

/** What is read, in the broker's names but for `name`. */
export interface ConsumerTarget {
  /** For people. */
  readonly name: string
  readonly queue: string
  /** How much this instance wants the queue. With order by key, others give it on to the one who wants it most. */
  readonly rank: number
  readonly deadLetterQueue: string
  /** What fails is gone. */
  readonly atMostOnce: boolean
  /** With patterns that are matched again: an old one may still route. */
  readonly topic: string | undefined
  readonly patterns: readonly string[]
}

/** What a consumer has of its connection. */
export interface ConsumerParts {
  readonly clock: Clock
  readonly namespace: string
  readonly publisher: Publisher
  readonly delays: Delays
  readonly createId: () => string
  /** From a delivery's arrival to its settlement. */
  readonly maxHoldMs: number
  /** Called when acks were given to a channel. */
  readonly written: () => void
  /** False once the transport knows that the connection is gone. */
  isLive(): boolean
  nextSerial(): number
  queueExists(queue: string): Promise<boolean>
  /** How many messages are ready in it, and how many consumers it has. */
  count(queue: string): Promise<{ readonly ready: number; readonly consumers: number }>
  /** Makes the queue where it is missing; answers how many consumers it has. */
  openSideQueue(queue: string): Promise<number>
}
