import type { Delays } from './delays.ts'
import type { Publisher } from './publisher.ts'
import type { RabbitmqConsumer } from './consumer.ts'
import type { Clock } from '@posthorn/transport/driver'

/** What is read, in the broker's names but for `name`. */
export interface ConsumerTarget {
  /** For people. */
  readonly name: string
  readonly queue: string
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
  /** False once the transport knows that the connection is gone. */
  isLive(): boolean
  forget(consumer: RabbitmqConsumer): void
  nextSerial(): number
  queueExists(queue: string): Promise<boolean>
  /** Makes the queue where it is missing; answers how many messages are ready in it. */
  openSideQueue(queue: string): Promise<number>
}
