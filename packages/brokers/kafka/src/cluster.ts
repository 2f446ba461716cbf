import { describeError, KafkaError, NoAnswer, topologyMissing } from './errors.ts'
import { kafkaErrors } from './protocol/error-names.ts'
import { findCoordinator } from './protocol/group.ts'
import { metadata, type TopicMetadata } from './protocol/topics.ts'
import { firstSuccess } from './first-success.ts'
import { groupBy } from './group-by.ts'
import type { Connections } from './client/connections.ts'
import type { NodeAddress } from './client/kafka-client.ts'
import type { KafkaRequest, TopicPartition } from './protocol/request.ts'
import type { Clock } from '@posthorn/transport/driver'

/** Milliseconds: how long a question may take, and how long to wait before it is asked again. */
const askTimeoutMs = 10_000
const pauseMs = 100

/** Milliseconds for which something is tried again that fails for now: a little less than the transport waits by default. */
const persistMs = 25_000

/** Milliseconds that a node has for an answer before another one is asked the same. */
const headStartMs = 1_000

/** The connections to nodes as they were given. */
const bootstrap = 'bootstrap'

/** Milliseconds between two looks at whether all nodes know of something. */
const agreementPauseMs = 20

/** How often, one after the other, a topic has to be unknown until it counts as deleted. */
const maxTimesMissing = 5

/** To how many nodes it is connected at the start. */
const maxOpened = 5

/** How many names of topics that do not exist are kept. */
const maxMissing = 1_000

/** How many topics are kept; those that were asked about longest ago are asked about anew. */
const maxTopics = 10_000

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
  private readonly ids = new Map<string, string>()
  private readonly missing = new Set<string>()
  private readonly coordinators = new Map<string, NodeAddress>()
  private refreshing:
    | { readonly topics: string; readonly done: Promise<readonly TopicMetadata[]> }
    | undefined

  constructor(connections: Connections, clock: Clock) {
    this.connections = connections
    this.clock = clock
  }

  /** Whether nothing can be asked any more. */
  get isClosed(): boolean {
    return this.connections.isClosed
  }

  address(node: number): NodeAddress | undefined {
    return this.nodes.get(node)
  }

  /** How many partitions a topic has; 0 where there is none, or nothing is known. */
  partitionCount(topic: string): number {
    return this.leaders.get(topic)?.length ?? 0
  }

  /** Which topic has this name now, as far as is known: one that is deleted and made anew has another one. */
  topicId(topic: string): string | undefined {
    return this.ids.get(topic)
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
    await this.learn([topic])
    return this.partitionCount(topic)
  }

  /** As `refresh`; rejects where one of them may not be known to this user. */
  async learn(topics: readonly string[]): Promise<void> {
    for (const { topic, error } of await this.refresh(topics)) {
      if (error === kafkaErrors.TOPIC_AUTHORIZATION_FAILED)
        throw new KafkaError(error, `Metadata of ${topic}`)
    }
  }

  /** As `countPartitions`; rejects where it does not exist. */
  async partitionsOf(topic: string, what: string): Promise<number> {
    const count = await this.countPartitions(topic)
    if (count === 0) throw topologyMissing(what)
    return count
  }

  /**
   * Asks whoever answers first: those that are known, one after the other, then those that were given. A node that does not
   * answer holds up nothing.
   */
  askAny<Response>(request: KafkaRequest<Response>): Promise<Response> {
    const known = [...this.nodes.values()]
    const ask = (addresses: readonly NodeAddress[], purpose: string): (() => Promise<Response>)[] =>
      this.shuffle(addresses).map(
        (address) => () => this.connections.ask(address, purpose, request, askTimeoutMs),
      )
    // Who was given may have to be asked of somebody else, which takes its time and may fail.
    const askGiven = async (): Promise<Response> => {
      const given = (await this.connections.bootstrap()).filter(
        (address) => !known.some(({ host, port }) => host === address.host && port === address.port),
      )
      return firstSuccess(ask(given, bootstrap), headStartMs, this.clock)
    }
    return firstSuccess([...ask(known, 'main'), askGiven], headStartMs, this.clock).catch(
      (error: unknown) => {
        throw noneAnswered('No node answers', error)
      },
    )
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

  /** Connects to a node for a purpose, where it is not. Rejects as `askNode`; then nothing was written. */
  open(address: NodeAddress, purpose: string): Promise<void> {
    return this.connections.open(address, purpose)
  }

  /** Calls when a connection for a purpose ends by itself. */
  watchConnections(purpose: string, listener: (() => void) | undefined): void {
    this.connections.watch(purpose, listener)
  }

  /** Ends the connections of a purpose: all, or that to one node. */
  endConnections(purpose: string, address?: NodeAddress): void {
    this.connections.end(purpose, address)
  }

  /** Finds out who the nodes are, and connects to them, so that what comes next need not. Rejects when none is reached. */
  async connect(): Promise<void> {
    await this.refresh([])
    const first = [...this.nodes.values()].slice(0, maxOpened)
    // What was given may be names for what the nodes call themselves.
    await Promise.any(
      first.map((address) =>
        Promise.all(['main', 'publish'].map((purpose) => this.connections.open(address, purpose))),
      ),
    ).catch((error: unknown) => {
      throw noneAnswered('No node is reached by the name that it gives itself (advertised.listeners)', error)
    })
    this.connections.end(bootstrap)
  }

  /** Asks the controller. */
  async askController<Response>(request: KafkaRequest<Response>): Promise<Response> {
    if (!this.nodes.has(this.controller)) await this.refresh([])
    const address = this.nodes.get(this.controller)
    if (address === undefined) throw new NoAnswer('No controller is known', false)
    return this.connections.ask(address, 'main', request, askTimeoutMs)
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
    let timesMissing = 0
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
        // It may be so new that its leader has not heard of it.
        const isUnknown = result.error === kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
        if (isUnknown || passing.has(result.error))
          problem = new KafkaError(result.error, request([]).name).message
        else found.set(`${result.topic} ${result.partition}`, result)
      }
      results.push(...found.values())
      open = open.filter(({ topic, partition }) => !found.has(`${topic} ${partition}`))
      if (open.length === 0) return results
      if (this.connections.isClosed || this.clock.now() + pauseMs > until)
        throw new NoAnswer(`${request([]).name}: ${problem}`, true)
      await this.pause()
      await this.refresh([...new Set(open.map(({ topic }) => topic))]).catch(() => [])
      timesMissing = open.some(({ topic }) => this.isMissing(topic)) ? timesMissing + 1 : 0
      if (timesMissing >= maxTimesMissing)
        throw new KafkaError(kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, request([]).name)
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
  async persist<Value>(act: () => Promise<Value>, deadlineMs: number = persistMs): Promise<Value> {
    const until = this.clock.now() + deadlineMs
    for (;;) {
      try {
        return await act()
      } catch (error) {
        const isOver = this.connections.isClosed || this.clock.now() + pauseMs > until
        if (isOver || !isPassing(error)) throw error
        await this.pause()
      }
    }
  }

  pause(ms: number = pauseMs): Promise<void> {
    return new Promise((resolve) => {
      this.clock.setTimer(resolve, ms)
    })
  }

  /** Waits for something, `ms` at most, and leaves no timer behind. */
  async atMost(ms: number, work: Promise<unknown>): Promise<void> {
    let cancel = (): void => undefined
    const late = new Promise<void>((resolve) => {
      cancel = this.clock.setTimer(resolve, ms)
    })
    try {
      await Promise.race([work, late])
    } finally {
      cancel()
    }
  }

  /**
   * Waits until every node knows that topics are there, or are gone: each hears of it by itself, and until then answers as if
   * nothing had happened. Does not wait for those that do not answer.
   */
  async untilAllKnow(topics: readonly string[], what: 'there' | 'gone', deadlineMs: number): Promise<void> {
    const until = this.clock.now() + deadlineMs
    const wanted = what === 'there' ? kafkaErrors.NONE : kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
    let open = [...this.nodes.values()]
    for (;;) {
      const known = await Promise.all(
        open.map((address) =>
          this.connections.ask(address, 'main', metadata(topics), askTimeoutMs).then(
            (answer) => answer.topics.every(({ error }) => error === wanted),
            () => true,
          ),
        ),
      )
      open = open.filter((_, index) => known[index] === false)
      if (open.length === 0 || this.clock.now() >= until) return
      await this.pause(agreementPauseMs)
    }
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
    const answer = await this.askAny(metadata(topics))
    this.nodes = answer.nodes
    this.controller = answer.controller
    for (const { topic, id, error, partitions } of answer.topics) {
      if (error !== kafkaErrors.NONE && error !== kafkaErrors.LEADER_NOT_AVAILABLE) {
        this.forget(topic)
        if (error === kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION) this.remember(topic)
        continue
      }
      this.missing.delete(topic)
      const leaders: number[] = []
      for (const { partition, leader } of partitions) leaders[partition] = leader
      this.forget(topic)
      this.leaders.set(topic, leaders)
      this.ids.set(topic, id)
    }
    // Such as the inboxes of others that were answered to once.
    for (const topic of this.leaders.keys()) {
      if (this.leaders.size <= maxTopics) break
      this.forget(topic)
    }
    return answer.topics
  }

  private forget(topic: string): void {
    this.leaders.delete(topic)
    this.ids.delete(topic)
  }

  private remember(missing: string): void {
    if (this.missing.size >= maxMissing) this.missing.clear()
    this.missing.add(missing)
  }

  private shuffle<Item>(items: readonly Item[]): Item[] {
    const left = [...items]
    const shuffled: Item[] = []
    while (left.length > 0) shuffled.push(...left.splice(Math.floor(this.clock.random() * left.length), 1))
    return shuffled
  }
}

/** `error` has what each of them was asked in vain. */
function noneAnswered(text: string, error: unknown): NoAnswer {
  const problems = problemsOf(error)
  const reasons = problems.map(describeError).join('; ')
  return new NoAnswer(reasons === '' ? text : `${text}: ${reasons}`, false, new AggregateError(problems))
}

function problemsOf(error: unknown): unknown[] {
  return error instanceof AggregateError ? error.errors.flatMap(problemsOf) : [error]
}

function isMoved(error: number): boolean {
  return error === kafkaErrors.NOT_COORDINATOR || error === kafkaErrors.COORDINATOR_NOT_AVAILABLE
}
