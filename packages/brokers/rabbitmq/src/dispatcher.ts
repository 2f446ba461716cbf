import { nativeName } from './names.ts'
import { queueForKey, slotHeader, slotOf } from './shards.ts'
import type { Delayed, Delays } from './delays.ts'
import type { Publisher } from './publisher.ts'
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
    if (destination.kind === 'topic') {
      const items = batch.map((message) => {
        const { routingKey } = message
        const headers = slotHeaders(message)
        return headers === undefined ? { routingKey, message } : { routingKey, message, headers }
      })
      return publisher.toTopic(native, items, deadline)
    }
    const shards = destination.kind === 'queue' ? destination.shards : 1
    const items = batch.map((message) => ({ routingKey: queueForKey(native, shards, message.key), message }))
    return publisher.toQueues(items, deadline)
  }

  private async mixed(
    destination: Destination,
    batch: readonly WireMessage[],
    now: number,
    deadline: number,
  ): Promise<readonly PublishOutcome[]> {
    const native = nativeName(this.options.namespace, destination.name)
    const shards = destination.kind === 'queue' ? destination.shards : 1
    const delayedTo = (message: WireMessage): Pick<Delayed, 'to' | 'headers'> => {
      if (destination.kind !== 'topic') return { to: { queue: queueForKey(native, shards, message.key) } }
      const headers = slotHeaders(message)
      return headers === undefined ? { to: { topic: native } } : { to: { topic: native }, headers }
    }
    const waits = batch.map(({ notBefore = 0 }) => notBefore - now)
    const later = batch.flatMap((message, index): Delayed[] =>
      waits[index]! > 0 ? [{ message, delayMs: waits[index]!, ...delayedTo(message) }] : [],
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

/** By which a group with shards gets it. */
function slotHeaders({ key }: WireMessage): Readonly<Record<string, string>> | undefined {
  return key === undefined ? undefined : { [slotHeader]: String(slotOf(key)) }
}
