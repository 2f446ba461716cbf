import type { Clock } from '../contract/clock.ts'
import type { Destination, Source } from '../contract/driver.ts'
import type { DeclareMode, SubscriptionDeclaration, Topology } from '../contract/topology.ts'
import { isPosthornError } from '../errors.ts'
import { queueSource, subscriptionSource, type DurableSource } from '../routing/names.ts'
import { reconnectDelay } from './backoff.ts'
import { Declarations, type Declared } from './declarations.ts'

/** What a consumer asks of the source that it reads. */
export interface SourceWants {
  readonly order: 'none' | 'key'
  readonly from: 'earliest' | Date | undefined
}

/** A new connection, on which to declare what was there before. */
export interface RestoringConnection {
  /** In mode `create`; rejects with `POSTHORN_TIMEOUT` when there is no answer. */
  declare(topology: Topology): Promise<void>
  isOver(): boolean
}

type Declare = (topology: Topology, mode: Exclude<DeclareMode, 'none'>) => Promise<void>

/**
 * Knows what has been declared and how. What the user declared is declared again on each new connection; what was only
 * used, at its next use there.
 */
export class TopologyRegistry {
  readonly mode: DeclareMode
  private readonly clock: Clock
  private readonly declareNow: Declare
  private readonly known = new Declarations()
  private readonly underWay = new Map<string, Promise<void>>()
  private cancelRestoring: (() => void) | undefined

  /** `declareNow` declares on the live connection, and ends with it. */
  constructor(mode: DeclareMode, clock: Clock, declareNow: Declare) {
    this.mode = mode
    this.clock = clock
    this.declareNow = declareNow
  }

  /** Declares what the user names. What was declared in a mode stays in it. */
  async declare(topology: Topology, mode: DeclareMode): Promise<void> {
    if (mode !== 'none') await this.declareNow(topology, mode)
    this.known.add(topology, mode, 'named')
  }

  /**
   * Declares again what the user had created. One object that cannot be declared now does not keep the connection from
   * being used: who uses it gets its error, and what may pass is tried again from time to time.
   */
  async restore(connection: RestoringConnection): Promise<void> {
    this.stopRestoring()
    const created = this.known.expire()
    if (created.length === 0) return
    try {
      await connection.declare(merge(created.map((one) => one.topology)))
      for (const one of created) one.fresh = true
    } catch (error) {
      const answered = !isPosthornError(error) || error.code !== 'POSTHORN_TIMEOUT'
      this.restoreLater(answered ? await restoreEach(created, connection) : created, connection, 1)
    }
  }

  /** Nothing more is restored: the connection, or the transport, is over. */
  stopRestoring(): void {
    this.cancelRestoring?.()
  }

  private restoreLater(missing: readonly Declared[], connection: RestoringConnection, attempt: number): void {
    if (missing.length === 0 || connection.isOver()) return
    const delayMs = reconnectDelay(attempt + 3, () => this.clock.random())
    this.cancelRestoring = this.clock.setTimer(() => {
      void restoreEach(missing, connection).then((left) => this.restoreLater(left, connection, attempt + 1))
    }, delayMs)
  }

  /** The queue as a source, with the dead-letter queue that it was declared with here. */
  queueSource(name: string): DurableSource {
    return queueSource(name, this.known.queue(name))
  }

  subscriptionSource(topic: string, group: string, patterns: readonly string[]): DurableSource {
    return subscriptionSource(topic, group, patterns, this.known.subscription(topic, group))
  }

  /** How many queues of the broker make up the queue. */
  shardsOf(queue: string): number {
    return this.known.queue(queue)?.shards ?? 1
  }

  /** A promise only when there is something to do. */
  ensure(destination: Destination): Promise<void> | undefined {
    const { kind, name } = destination
    if (kind === 'inbox') return undefined
    const key = `${kind}:${name}`
    const known = this.known.get(key)
    const mode = known?.mode ?? this.mode
    if (mode === 'none' || known?.fresh === true) return undefined
    const running = this.underWay.get(key)
    if (running !== undefined) return running
    if (kind === 'queue') return this.once(key, known?.topology ?? { queues: [{ name }] }, mode)
    // A topic that is gone took the way to its groups with it.
    const lost = known === undefined ? [] : this.known.groupsOf(name)
    return this.once(key, merge([known?.topology ?? { topics: [{ name }] }, ...lost]), mode)
  }

  /** Declares what a consumer reads. Again at each set-up: it may be gone, and repeating a declaration is harmless. */
  async ensureSource(source: Source, wants: SourceWants): Promise<void> {
    if (source.kind === 'inbox') return
    const order = wants.order === 'key' ? { order: wants.order } : {}
    if (source.kind === 'queue') {
      const { name } = source
      const known = this.known.queue(name)
      await this.after(`queue:${name}`, { queues: [{ ...order, ...known, name }] })
      return
    }
    const { topic } = source
    await this.after(
      `topic:${topic}`,
      this.known.get(`topic:${topic}`)?.topology ?? { topics: [{ name: topic }] },
    )
    if (source.kind === 'ephemeral') return
    const { group, patterns } = source
    const from = wants.from === undefined ? {} : { from: wants.from }
    const known = this.known.subscription(topic, group)
    const subscription: SubscriptionDeclaration = { ...order, ...from, ...known, topic, group, patterns }
    await this.after(`subscription:${topic}/${group}`, { subscriptions: [subscription] })
  }

  /** A destination turned out to be gone; true when using it again would declare it. */
  forget(destination: Destination): boolean {
    if (destination.kind === 'inbox') return false
    const known = this.known.get(`${destination.kind}:${destination.name}`)
    if (known !== undefined) known.fresh = false
    return (known?.mode ?? this.mode) === 'create'
  }

  /** Makes a source that is missing, where that is allowed and it is known how; false where it is not. */
  async recreate(source: DurableSource): Promise<boolean> {
    const key =
      source.kind === 'queue' ? `queue:${source.name}` : `subscription:${source.topic}/${source.group}`
    const known = this.known.get(key)
    if ((known?.mode ?? this.mode) !== 'create') return false
    if (source.kind === 'subscription') {
      if (known === undefined) return false
      await this.after(key, known.topology)
    } else await this.after(key, known?.topology ?? { queues: [{ name: source.name }] })
    return true
  }

  /** Declares after whoever declares the same object, since what they want of it may differ. */
  private async after(key: string, topology: Topology): Promise<void> {
    const mode = this.known.get(key)?.mode ?? this.mode
    if (mode === 'none') return
    await this.underWay.get(key)?.catch(() => {})
    await this.once(key, topology, mode)
  }

  private once(key: string, topology: Topology, mode: Exclude<DeclareMode, 'none'>): Promise<void> {
    const declaring = this.declareNow(topology, mode).then(() => this.known.add(topology, mode, 'used'))
    const tracked = declaring.finally(() => {
      if (this.underWay.get(key) === tracked) this.underWay.delete(key)
    })
    this.underWay.set(key, tracked)
    return tracked
  }
}

function merge(topologies: readonly Topology[]): Topology {
  return {
    queues: topologies.flatMap(({ queues = [] }) => queues),
    topics: topologies.flatMap(({ topics = [] }) => topics),
    subscriptions: topologies.flatMap(({ subscriptions = [] }) => subscriptions),
  }
}

/** Declares one by one what nobody has declared meanwhile; answers what failed and may pass. */
async function restoreEach(
  missing: readonly Declared[],
  connection: RestoringConnection,
): Promise<Declared[]> {
  const left: Declared[] = []
  for (const one of missing) {
    if (one.fresh) continue
    try {
      await connection.declare(one.topology)
      one.fresh = true
    } catch (error) {
      if (!isPosthornError(error) || error.retryable) left.push(one)
    }
  }
  return left
}
