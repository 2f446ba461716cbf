import type { ConsumerParts, ConsumerTarget } from './consumer-parts.ts'
import type {
  ConsumeRequest,
  DeliverySink,
  Scope,
  SettleItem,
  SettleOutcome,
} from '@posthorn/transport/driver'
import type { Channel } from 'amqplib'

/** Reads one queue of a consumer's. */
export interface QueueReader {
  readonly queue: string
  /** Whether the server has to know of it now. */
  readonly isReading: boolean
  /** Whether what the queue has could be handed out here. */
  readonly isOwner: boolean
  /** Starts to read. The sink hears nothing before `begin`. */
  start(): Promise<void>
  begin(): void
  owns(scope: Scope): boolean
  window(size: number): void
  settle(scope: Scope, items: readonly SettleItem[]): Promise<readonly SettleOutcome[]>
  /** Its queue is gone, and what was in it. */
  deleted(): void
  /** Gives back what is unsettled. Never rejects. */
  close(): Promise<void>
  /** Its connection is gone, or the consumer that it is a part of. */
  void(): void
}

/** What a reader has of its consumer. */
export interface ReaderParts {
  readonly parts: ConsumerParts
  readonly target: ConsumerTarget
  readonly request: ConsumeRequest
  readonly sink: DeliverySink
  readonly openChannel: () => Promise<Channel>
  /** How many deliveries may be held of this queue at a time, at the most. */
  share(): number
  /** The whole consumer is over. */
  ended(reason: string): void
}
