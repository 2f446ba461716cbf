import { describeError, KafkaError, NoAnswer, topologyMissing } from './errors.ts'
import { kafkaErrors } from './protocol/error-names.ts'
import { findCoordinator } from './protocol/group.ts'
import { metadata, type TopicMetadata } from './protocol/topics.ts'
import { groupBy } from './group-by.ts'
import type { Connections } from './client/connections.ts'
import type { NodeAddress } from './client/kafka-client.ts'
import type { KafkaRequest, TopicPartition } from './protocol/request.ts'
import type { Clock } from '@posthorn/transport/driver'

/** Milliseconds: how long a question may take, and how long to wait before it is asked again. */
const askTimeoutMs = 10_000
const pauseMs = 100

/** To how many nodes it is connected at the start. */
const maxOpened = 5

/** How many names of topics that do not exist are kept. */
const maxMissing = 1_000

/** Errors after which the same may be asked again, of whoever is in charge then. */
const passing: ReadonlySet<number> = new Set([
  kafkaErrors.LEADER_NOT_AVAILABLE,
  kafkaErrors.NOT_LEADER_OR_FOLLOWER,
  kafkaErrors.REQUEST_TIMED_OUT,
  kafkaErrors.REPLICA_NOT_AVAILABLE,
  kafkaErrors.NETWORK_EXCEPTION,
  kafkaErrors.COORDINATOR_LOAD_IN_PROGRESS,
  kafkaErrors.COORDINATOR_NOT_AVAILABLE,
  kafkaErrors.NOT_COORDINATOR,
  kafkaErrors.NOT_CONTROLLER,
  kafkaErrors.KAFKA_STORAGE_ERROR,
  kafkaErrors.FENCED_LEADER_EPOCH,
  kafkaErrors.UNKNOWN_LEADER_EPOCH,
  kafkaErrors.OFFSET_NOT_AVAILABLE,
])

export function isPassing(error: unknown): boolean {
  return error instanceof NoAnswer || (error instanceof KafkaError && passing.has(error.kafkaCode))
}

/** Who is in charge of what, as far as is known, and how to ask them. */
export class Cluster {
  readonly clock: Clock
  private readonly connections: Connections
  private nodes: ReadonlyMap<number, NodeAddress> = new Map()
  private controller = -1
  /** The leader's id by partition, of each topic. */
  private readonly leaders = new Map<string, readonly number[]>()
  private readonly missing = new Set<string>()
  private readonly coordinators = new Map<string, NodeAddress>()
  private refreshing:
    | { readonly topics: string; readonly done: Promise<readonly TopicMetadata[]> }
    | undefined

  constructor(connections: Connections, clock: Clock) {
    this.connections = connections
    this.clock = clock
  }

  address(node: number): NodeAddress | undefined {
    return this.nodes.get(node)
  }

  /** How many partitions a topic has; 0 where there is none, or nothing is known. */
  partitionCount(topic: string): number {
    return this.leaders.get(topic)?.length ?? 0
  }

  /** The leader's id, or -1. */
  leader({ topic, partition }: TopicPartition): number {
    return this.leaders.get(topic)?.[partition] ?? -1
  }

  /** Asks the cluster about topics, and keeps what it says. Those that do not exist come with an error. */
  refresh(topics: readonly string[]): Promise<readonly TopicMetadata[]> {
    const key = topics.join(' ')
    if (this.refreshing?.topics === key) return this.refreshing.done
    const done = this.ask(topics).finally(() => {
      if (this.refreshing?.done === done) this.refreshing = undefined
    })
    this.refreshing = { topics: key, done }
    return done
  }

  /** How many partitions a topic has, asking where it is not known; 0 where it does not exist. */
  async countPartitions(topic: string): Promise<number> {
    const known = this.partitionCount(topic)
    if (known > 0) return known
    await this.refresh([topic])
    return this.partitionCount(topic)
  }

  /** As `countPartitions`; rejects where it does not exist. */
  async partitionsOf(topic: string, what: string): Promise<number> {
    const count = await this.countPartitions(topic)
    if (count === 0) throw topologyMissing(what)
    return count
  }

  async askAny<Response>(request: KafkaRequest<Response>): Promise<Response> {
    return this.connections.ask(this.anyNode(), 'main', request, askTimeoutMs)
  }

  /** Asks a node, once, over a connection for the purpose. */
  askNode<Response>(
    address: NodeAddress,
    purpose: string,
    request: KafkaRequest<Response>,
    timeoutMs: number,
  ): Promise<Response> {
    return this.connections.ask(address, purpose, request, timeoutMs)
  }

  /** Calls when a connection for a purpose ends by itself. */
  watchConnections(purpose: string, listener: (() => void) | undefined): void {
    this.connections.watch(purpose, listener)
  }

  /** Ends the connections of a purpose. */
  endConnections(purpose: string): void {
    this.connections.end(purpose)
  }

  /** Connects to the nodes that are known, so that what comes next need not. */
  async openConnections(purpose: string): Promise<void> {
    const first = [...this.nodes.values()].slice(0, maxOpened)
    await Promise.allSettled(first.map((address) => this.connections.open(address, purpose)))
  }

  /** Asks the controller. */
  async askController<Response>(request: KafkaRequest<Response>): Promise<Response> {
    if (!this.nodes.has(this.controller)) await this.refresh([])
    return this.connections.ask(this.nodes.get(this.controller), 'main', request, askTimeoutMs)
  }

  /**
   * Asks the leaders, each about its own partitions, and again for those that say a passing error, until `deadlineMs` have
   * passed. Answers in any order.
   */
  async askLeaders<Entry extends TopicPartition, Result extends TopicPartition & { readonly error: number }>(
    entries: readonly Entry[],
    request: (entries: readonly Entry[]) => KafkaRequest<Result[]>,
    deadlineMs: number = askTimeoutMs,
  ): Promise<Result[]> {
    const until = this.clock.now() + deadlineMs
    const results: Result[] = []
    let open = entries
    for (;;) {
      const byLeader = groupBy(open, (entry) => this.leader(entry))
      let problem = 'no leader is known'
      const answers = await Promise.all(
        [...byLeader].map(async ([leader, own]) => {
          const address = this.nodes.get(leader)
          if (address === undefined) return []
          try {
            return await this.connections.ask(address, 'main', request(own), askTimeoutMs)
          } catch (error) {
            problem = describeError(error)
            return []
          }
        }),
      )
      const found = new Map<string, Result>()
      for (const result of answers.flat()) {
        if (passing.has(result.error)) problem = new KafkaError(result.error, request([]).name).message
        else found.set(`${result.topic} ${result.partition}`, result)
      }
      results.push(...found.values())
      open = open.filter(({ topic, partition }) => !found.has(`${topic} ${partition}`))
      if (open.length === 0) return results
      if (this.clock.now() + pauseMs > until) throw new NoAnswer(`${request([]).name}: ${problem}`, true)
      await this.pause()
      await this.refresh([...new Set(open.map(({ topic }) => topic))]).catch(() => [])
    }
  }

  /** Asks the coordinator of a group, once. `errorOf` says which error the answer holds, if any that concerns all of it. */
  async askCoordinator<Response extends { readonly error: number }>(
    group: string,
    purpose: string,
    request: KafkaRequest<Response>,
    timeoutMs: number = askTimeoutMs,
  ): Promise<Response> {
    const address = this.coordinators.get(group) ?? (await this.findCoordinator(group))
    try {
      const response = await this.connections.ask(address, purpose, request, timeoutMs)
      if (isMoved(response.error)) this.forgetCoordinator(group)
      return response
    } catch (error) {
      this.forgetCoordinator(group)
      throw error
    }
  }

  forgetCoordinator(group: string): void {
    this.coordinators.delete(group)
  }

  /** Does something again as long as its errors pass, `deadlineMs` at most. */
  async persist<Value>(act: () => Promise<Value>, deadlineMs: number = askTimeoutMs): Promise<Value> {
    const until = this.clock.now() + deadlineMs
    for (;;) {
      try {
        return await act()
      } catch (error) {
        if (!isPassing(error) || this.clock.now() + pauseMs > until) throw error
        await this.pause()
      }
    }
  }

  pause(ms: number = pauseMs): Promise<void> {
    return new Promise((resolve) => {
      this.clock.setTimer(resolve, ms)
    })
  }

  /** Whether the cluster has said of a topic, when it was asked last, that it does not exist. */
  isMissing(topic: string): boolean {
    return this.missing.has(topic)
  }

  private async findCoordinator(group: string): Promise<NodeAddress> {
    const { error, message, host, port } = await this.askAny(findCoordinator(group))
    if (error !== kafkaErrors.NONE) throw new KafkaError(error, `FindCoordinator of ${group}`, message)
    const address = { host, port }
    this.coordinators.set(group, address)
    return address
  }

  private async ask(topics: readonly string[]): Promise<readonly TopicMetadata[]> {
    const answer = await this.askEach(metadata(topics))
    this.nodes = answer.nodes
    this.controller = answer.controller
    for (const { topic, error, partitions } of answer.topics) {
      if (error !== kafkaErrors.NONE && error !== kafkaErrors.LEADER_NOT_AVAILABLE) {
        this.leaders.delete(topic)
        if (error === kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION) this.remember(topic)
        continue
      }
      this.missing.delete(topic)
      const leaders: number[] = []
      for (const { partition, leader } of partitions) leaders[partition] = leader
      this.leaders.set(topic, leaders)
    }
    return answer.topics
  }

  private remember(missing: string): void {
    if (this.missing.size >= maxMissing) this.missing.clear()
    this.missing.add(missing)
  }

  /** Whoever answers first, one after the other: those that are known, then those that were given. */
  private async askEach<Response>(request: KafkaRequest<Response>): Promise<Response> {
    const known = [...this.nodes.values()]
    const start = Math.floor(this.clock.random() * known.length)
    let problem: unknown
    for (let index = 0; index < known.length; index++) {
      try {
        const address = known[(start + index) % known.length]
        return await this.connections.ask(address, 'main', request, askTimeoutMs / 2)
      } catch (error) {
        problem = error
      }
    }
    try {
      return await this.connections.ask(undefined, 'bootstrap', request, askTimeoutMs)
    } catch (error) {
      throw problem ?? error
    }
  }

  private anyNode(): NodeAddress | undefined {
    const known = [...this.nodes.values()]
    return known[Math.floor(this.clock.random() * known.length)]
  }
}

function isMoved(error: number): boolean {
  return error === kafkaErrors.NOT_COORDINATOR || error === kafkaErrors.COORDINATOR_NOT_AVAILABLE
}
