import { consumerEnded, leaseLost } from './errors.ts'
import { OwnedReader } from './owned-reader.ts'
import { SharedReader } from './shared-reader.ts'
import type { ConsumerParts, ConsumerTarget } from './consumer-parts.ts'
import type { QueueReader, ReaderParts } from './queue-reader.ts'
import type {
  ConsumeRequest,
  Delivery,
  DeliverySink,
  DriverConsumer,
  Scope,
  SettleItem,
  SettleOutcome,
} from '@posthorn/transport/driver'
import type { Channel } from 'amqplib'

export interface ConsumerSetup {
  readonly parts: ConsumerParts
  /** One for each queue that makes up the source. */
  readonly targets: readonly ConsumerTarget[]
  readonly request: ConsumeRequest
  readonly sink: DeliverySink
  readonly openChannel: () => Promise<Channel>
  /** Called when it is over. */
  readonly left: (consumer: RabbitmqConsumer) => void
}

/** Reads a source: one queue, or as many as it has shards, each on a channel of its own. */
export class RabbitmqConsumer implements DriverConsumer {
  readonly flow = 'fixed'
  readonly readers: readonly QueueReader[]
  private readonly setup: ConsumerSetup
  private readonly name: string
  /** What the readers have been assigned. */
  private readonly scopes = new Set<Scope>()
  /** How many deliveries the runner takes at a time; rises only. */
  private granted: number
  private state: 'open' | 'closing' | 'over' = 'open'

  private constructor(setup: ConsumerSetup, channels: readonly Channel[]) {
    const { targets, request } = setup
    this.setup = setup
    this.name = targets[0]!.name
    this.granted = request.prefetch
    this.readers = targets.map((target, index) => {
      const isOwned = request.order === 'key' && !target.atMostOnce
      return new (isOwned ? OwnedReader : SharedReader)(this.partsFor(target), channels[index]!)
    })
  }

  /** Starts to read. The sink hears nothing before `begin`. Rejects with what amqplib says. */
  static async open(setup: ConsumerSetup): Promise<RabbitmqConsumer> {
    const channels: Channel[] = []
    try {
      for (const _ of setup.targets) channels.push(await setup.openChannel())
      const consumer = new RabbitmqConsumer(setup, channels)
      try {
        for (const reader of consumer.readers) await reader.start()
      } catch (error) {
        consumer.void()
        throw error
      }
      return consumer
    } catch (error) {
      for (const channel of channels) channel.close().catch(() => undefined)
      throw error
    }
  }

  begin(): void {
    if (this.state === 'open') for (const reader of this.readers) reader.begin()
  }

  window(scope: Scope, size: number): void {
    this.granted = Math.max(this.granted, size * this.scopes.size)
    this.readerOf(scope)?.window(size)
  }

  async settle(scope: Scope, items: readonly SettleItem[]): Promise<readonly SettleOutcome[]> {
    const reader = this.readerOf(scope)
    return reader === undefined ? items.map(() => 'lost') : reader.settle(scope, items)
  }

  async renew(scope: Scope, deliveries: readonly Delivery[]): Promise<readonly SettleOutcome[]> {
    const outcome = this.readerOf(scope) === undefined ? 'lost' : 'confirmed'
    return deliveries.map(() => outcome)
  }

  async ready(): Promise<number> {
    const owned = this.readers.filter(({ isOwner }) => isOwner)
    const counts = await Promise.all(owned.map(({ queue }) => this.setup.parts.count(queue)))
    return counts.reduce((sum, { ready }) => sum + ready, 0)
  }

  async close(): Promise<void> {
    if (this.state !== 'open') return
    this.state = 'closing'
    await Promise.all(this.readers.map((reader) => reader.close()))
    this.state = 'over'
    this.setup.left(this)
  }

  /** Its connection is gone: nothing is written or told. */
  void(): void {
    this.state = 'over'
    for (const reader of this.readers) reader.void()
  }

  private readerOf(scope: Scope): QueueReader | undefined {
    return this.state === 'over' ? undefined : this.readers.find((reader) => reader.owns(scope))
  }

  private partsFor(target: ConsumerTarget): ReaderParts {
    const { parts, request, sink, openChannel } = this.setup
    return {
      parts,
      target,
      request,
      openChannel,
      share: () => Math.max(1, Math.floor(this.granted / this.setup.targets.length)),
      ended: (reason) => this.end(reason),
      sink: {
        ...sink,
        assigned: (scope) => {
          const size = sink.assigned(scope)
          this.scopes.add(scope)
          return size
        },
        revoke: (scope, deadlineMs) => {
          this.scopes.delete(scope)
          return sink.revoke(scope, deadlineMs)
        },
      },
    }
  }

  private end(reason: string): void {
    const { state, scopes, setup, name } = this
    if (state === 'over') return
    this.state = 'over'
    for (const reader of this.readers) void reader.close()
    setup.left(this)
    if (state !== 'open' || !setup.parts.isLive()) return
    for (const scope of scopes) setup.sink.lost(scope, leaseLost(name, reason))
    setup.sink.ended(consumerEnded(name, reason))
  }
}
