import { nativeName } from './names.ts'
import type { Delayed, Delays } from './delays.ts'
import type { Publisher } from './publisher.ts'
import type { ReturnTo } from './retry-ladder.ts'
import type { Clock, Destination, PublishOutcome, WireMessage } from '@posthorn/transport/driver'

export interface DispatcherOptions {
  readonly publisher: Publisher
  readonly delays: Delays
  readonly namespace: string
  readonly clock: Clock
}

/** Sends batches to where they are meant for, what is to be late by the ladder. */
export class Dispatcher {
  private readonly options: DispatcherOptions

  constructor(options: DispatcherOptions) {
    this.options = options
  }

  publish(
    destination: Destination,
    batch: readonly WireMessage[],
    deadline: number,
  ): Promise<readonly PublishOutcome[]> {
    const now = this.options.clock.now()
    const isDelayed = ({ notBefore }: WireMessage): boolean => notBefore !== undefined && notBefore > now
    return batch.some(isDelayed)
      ? this.mixed(destination, batch, now, deadline)
      : this.atOnce(destination, batch, deadline)
  }

  private atOnce(
    destination: Destination,
    batch: readonly WireMessage[],
    deadline: number,
  ): Promise<readonly PublishOutcome[]> {
    const { publisher, namespace } = this.options
    const native = nativeName(namespace, destination.name)
    return destination.kind === 'topic'
      ? publisher.toTopic(
          native,
          batch.map((message) => ({ routingKey: message.routingKey, message })),
          deadline,
        )
      : publisher.toQueues(
          batch.map((message) => ({ routingKey: native, message })),
          deadline,
        )
  }

  private async mixed(
    destination: Destination,
    batch: readonly WireMessage[],
    now: number,
    deadline: number,
  ): Promise<readonly PublishOutcome[]> {
    const native = nativeName(this.options.namespace, destination.name)
    const to: ReturnTo = destination.kind === 'topic' ? { topic: native } : { queue: native }
    const waits = batch.map(({ notBefore = 0 }) => notBefore - now)
    const later = batch.flatMap((message, index): Delayed[] =>
      waits[index]! > 0 ? [{ message, delayMs: waits[index]!, to }] : [],
    )
    const direct = batch.filter((_, index) => waits[index]! <= 0)
    const [delayed, sent] = await Promise.all([
      this.options.delays.publish(later, deadline),
      this.atOnce(destination, direct, deadline),
    ])
    const [nextDelayed, nextSent] = [delayed.values(), sent.values()]
    return waits.map((waitMs) => (waitMs > 0 ? nextDelayed : nextSent).next().value as PublishOutcome)
  }
}
