import type {
  DeclareMode,
  QueueDeclaration,
  SubscriptionDeclaration,
  Topology,
} from '../contract/topology.ts'

/** One queue, topic or subscription that has been declared. */
export interface Declared {
  /** It alone. */
  topology: Topology
  mode: DeclareMode
  /** By the user, not only by being used. */
  named: boolean
  /** Declared on the connection of now, and not found missing since. */
  fresh: boolean
}

/** What is only used can be found out again, so the oldest of it is forgotten past this number. */
const maxUsed = 10_000

/** What has been declared, by `<kind>:<name>`. */
export class Declarations {
  private readonly all = new Map<string, Declared>()
  /** Those that are not named, the oldest first. */
  private readonly used = new Set<string>()

  get(key: string): Declared | undefined {
    return this.all.get(key)
  }

  queue(name: string): QueueDeclaration | undefined {
    return this.all.get(`queue:${name}`)?.topology.queues?.[0]
  }

  subscription(topic: string, group: string): SubscriptionDeclaration | undefined {
    return this.all.get(`subscription:${topic}/${group}`)?.topology.subscriptions?.[0]
  }

  /** The topic's groups that may be created. */
  groupsOf(topic: string): Topology[] {
    const groups: Topology[] = []
    for (const { mode, topology } of this.all.values()) {
      if (mode === 'create' && topology.subscriptions?.[0]?.topic === topic) groups.push(topology)
    }
    return groups
  }

  add(
    { queues = [], topics = [], subscriptions = [] }: Topology,
    mode: DeclareMode,
    how: 'named' | 'used',
  ): void {
    for (const queue of queues) this.put(`queue:${queue.name}`, { queues: [{ ...queue }] }, mode, how)
    for (const topic of topics) this.put(`topic:${topic.name}`, { topics: [{ ...topic }] }, mode, how)
    for (const one of subscriptions) {
      this.put(`subscription:${one.topic}/${one.group}`, { subscriptions: [{ ...one }] }, mode, how)
    }
  }

  /** A new connection knows nothing of them; answers those to declare again on it. */
  expire(): Declared[] {
    for (const one of this.all.values()) one.fresh = false
    return [...this.all.values()].filter((one) => one.named && one.mode === 'create')
  }

  private put(key: string, topology: Topology, mode: DeclareMode, how: 'named' | 'used'): void {
    const known = this.all.get(key)
    if (known === undefined) this.all.set(key, { topology, mode, named: how === 'named', fresh: true })
    else {
      known.topology = topology
      known.mode = mode
      known.fresh = true
      known.named ||= how === 'named'
    }
    this.age(key)
  }

  private age(key: string): void {
    this.used.delete(key)
    if (this.all.get(key)?.named === true) return
    this.used.add(key)
    if (this.used.size <= maxUsed) return
    const [oldest] = this.used
    if (oldest === undefined) return
    this.used.delete(oldest)
    this.all.delete(oldest)
  }
}
