import type { Destination, DriverConnection, Source } from '../contract/driver.ts'
import { queueSource, subscriptionSource, type DurableSource } from '../routing/names.ts'
import type { DeclareMode, QueueDeclaration, SubscriptionDeclaration, TopicDeclaration, Topology } from '../contract/topology.ts'

/**
 * Remembers what has been declared, so that each object is declared once for each connection, and all of it again after
 * a reconnection.
 */
export class TopologyRegistry {
  readonly mode: DeclareMode
  private readonly connection: () => DriverConnection
  private readonly queues = new Map<string, QueueDeclaration>()
  private readonly topics = new Map<string, TopicDeclaration>()
  private readonly subscriptions = new Map<string, SubscriptionDeclaration>()
  private readonly underWay = new Map<string, Promise<void>>()

  constructor(mode: DeclareMode, connection: () => DriverConnection) {
    this.mode = mode
    this.connection = connection
  }

  /** Declares what the user names; from then on it belongs to what a reconnection declares again. */
  async declare(topology: Topology, mode: DeclareMode): Promise<void> {
    if (mode !== 'none') await this.connection().declare(topology, mode)
    this.remember(topology)
  }

  /** Declares everything again on a new connection. */
  async restore(connection: DriverConnection): Promise<void> {
    if (this.mode !== 'create') return
    const topology: Topology = {
      queues: [...this.queues.values()],
      topics: [...this.topics.values()],
      subscriptions: [...this.subscriptions.values()],
    }
    if (this.queues.size + this.topics.size + this.subscriptions.size > 0) await connection.declare(topology, 'create')
  }

  /** The queue as a source, with the dead-letter queue that it was declared with here. */
  queueSource(name: string): DurableSource {
    return queueSource(name, this.queues.get(name))
  }

  subscriptionSource(topic: string, group: string, patterns: readonly string[]): DurableSource {
    return subscriptionSource(topic, group, patterns, this.subscriptions.get(`${topic}/${group}`))
  }

  /** How many queues of the broker make up the queue. */
  shardsOf(queue: string): number {
    return this.queues.get(queue)?.shards ?? 1
  }

  /** A promise only when there is something to do. */
  ensure(destination: Destination): Promise<void> | undefined {
    const { kind, name } = destination
    if (kind === 'inbox' || this.mode === 'none') return undefined
    if (kind === 'queue') return this.queues.has(name) ? undefined : this.once('queue:' + name, { queues: [{ name }] })
    return this.topics.has(name) ? undefined : this.once('topic:' + name, { topics: [{ name }] })
  }

  /** Declares what a consumer reads. Again at each set-up: it may be gone, and repeating a declaration is harmless. */
  async ensureSource(source: Source, wants: { readonly order: 'none' | 'key'; readonly from: 'earliest' | Date | undefined }): Promise<void> {
    if (source.kind === 'inbox' || this.mode === 'none') return
    if (source.kind === 'queue') {
      const known = this.queues.get(source.name)
      const order = wants.order === 'key' ? { order: wants.order } : {}
      return this.once('queue:' + source.name, { queues: [{ ...order, ...known, name: source.name }] })
    }
    const { topic } = source
    await this.once('topic:' + topic, { topics: [this.topics.get(topic) ?? { name: topic }] })
    if (source.kind === 'ephemeral') return
    const { group, patterns } = source
    const known = this.subscriptions.get(`${topic}/${group}`)
    await this.once(`subscription:${topic}/${group}`, {
      subscriptions: [
        {
          ...(wants.order === 'key' ? { order: wants.order } : {}),
          ...(wants.from === undefined ? {} : { from: wants.from }),
          ...known,
          topic,
          group,
          patterns,
        },
      ],
    })
  }

  /** A destination turned out to be gone; true when using it again would declare it. */
  forget(destination: Destination): boolean {
    if (this.mode !== 'create' || destination.kind === 'inbox') return false
    // What the user declared with arguments is declared with them again, by name alone otherwise.
    if (destination.kind === 'queue') {
      const known = this.queues.get(destination.name)
      this.queues.delete(destination.name)
      if (known !== undefined) void this.once('queue:' + destination.name, { queues: [known] }).catch(() => {})
      return known !== undefined
    }
    const known = this.topics.get(destination.name)
    this.topics.delete(destination.name)
    return known !== undefined
  }

  private once(key: string, topology: Topology): Promise<void> {
    const running = this.underWay.get(key)
    if (running !== undefined) return running
    const declaring = this.declare(topology, this.mode).finally(() => this.underWay.delete(key))
    this.underWay.set(key, declaring)
    return declaring
  }

  private remember(topology: Topology): void {
    for (const queue of topology.queues ?? []) this.queues.set(queue.name, queue)
    for (const topic of topology.topics ?? []) this.topics.set(topic.name, topic)
    for (const one of topology.subscriptions ?? []) this.subscriptions.set(`${one.topic}/${one.group}`, one)
  }
}
