import { KafkaError, throwOnError, topologyMismatch, topologyMissing } from './errors.ts'
import { stepCount } from './delay-steps.ts'
import { kafkaErrors } from './protocol/error-names.ts'
import { addPartitions, createTopics, describeTopics } from './protocol/topics.ts'
import { declaredDeadLetters, groupIsThere, startGroup } from './group-start.ts'
import { groupBy } from './group-by.ts'
import { delayedTopic, retryTopic } from './names.ts'
import { queueMark, wantedObjects, type WantedTopic } from './wanted-objects.ts'
import type { Cluster } from './cluster.ts'
import type { KafkaSettings } from './options.ts'
import type { DriverHost, PlanItem, Topology } from '@posthorn/transport/driver'

/** Milliseconds: how long the controller may take, and how long it may take until there are leaders. */
const createTimeoutMs = 10_000
const leadersTimeoutMs = 20_000

type Differences = PlanItem['differences']

/** Makes topics and the starting positions of groups, and compares what is there. */
export class KafkaTopology {
  private readonly cluster: Cluster
  private readonly namespace: string
  private readonly settings: KafkaSettings
  private readonly host: Pick<DriverHost, 'emit'>

  constructor(cluster: Cluster, namespace: string, settings: KafkaSettings, host: Pick<DriverHost, 'emit'>) {
    this.cluster = cluster
    this.namespace = namespace
    this.settings = settings
    this.host = host
  }

  async declare(topology: Topology, mode: 'create' | 'check'): Promise<void> {
    const { topics, groups } = wantedObjects(this.namespace, topology, this.settings)
    for (const { subject, names } of groups) {
      const found = await declaredDeadLetters(this.cluster, names.group)
      if (found === undefined || found === names.deadLetters) continue
      throw topologyMismatch(
        `The ${subject.kind} "${subject.name}"`,
        'deadLetterQueue',
        names.deadLetters,
        found,
      )
    }
    await this.refresh(topics)
    const old = new Set(groups.filter(({ names }) => this.cluster.partitionCount(names.retry) > 0))
    await this.declareTopics(topics, mode, async () => {
      for (const group of groups) {
        const isForgotten = await startGroup(this.cluster, group, mode, old.has(group))
        const { subject, names } = group
        if (isForgotten)
          this.host.emit('gap', { source: subject.name, scope: names.topic, missing: undefined })
      }
    })
  }

  /**
   * Makes those that are missing, and rejects where one that exists is another. `start` fixes where groups begin: when there is
   * what they read, and before there are their retry topics, which tell that they have begun.
   */
  async declareTopics(
    topics: readonly WantedTopic[],
    mode: 'create' | 'check',
    start: () => Promise<void> = async () => undefined,
  ): Promise<void> {
    if (topics.length === 0) return
    await this.refresh(topics)
    const missing = topics.filter(({ subject }) => this.cluster.partitionCount(subject.nativeName) === 0)
    if (mode === 'check' && missing[0] !== undefined) {
      const { kind, name, nativeName } = missing[0].subject
      throw topologyMissing(`The topic "${nativeName}" of the ${kind} "${name}"`)
    }
    // Side topics have as many partitions as what they belong to turns out to have.
    await this.create(missing.filter(({ follows }) => follows === undefined))
    const existing = topics.filter((topic) => !missing.includes(topic))
    await this.compare(existing, mode)
    await start()
    await this.create(missing.filter(({ follows }) => follows !== undefined))
    if (mode === 'create') await this.grow(existing)
  }

  async plan(topology: Topology): Promise<readonly PlanItem[]> {
    const { topics, groups } = wantedObjects(this.namespace, topology, this.settings)
    if (topics.length > 0) await this.refresh(topics)
    const existing = topics.filter(({ subject }) => this.cluster.partitionCount(subject.nativeName) > 0)
    const differences = new Map(await this.differences(existing, 'create'))
    for (const { names } of groups) {
      const found = await declaredDeadLetters(this.cluster, names.group)
      if (found === undefined || found === names.deadLetters) continue
      const difference = { argument: 'deadLetterQueue', wanted: names.deadLetters, found }
      // The first topic of a source stands for it.
      const topic = differences.has(names.topic) ? names.topic : names.retry
      differences.set(topic, [...(differences.get(topic) ?? []), difference])
    }
    const items = topics.map(({ subject }): PlanItem => {
      const found = differences.get(subject.nativeName)
      const action = found === undefined ? 'create' : found.length === 0 ? 'none' : 'mismatch'
      return { ...subject, action, complete: true, differences: found ?? [] }
    })
    for (const group of groups) {
      if (group.subject.kind === 'queue') continue
      const isThere = await groupIsThere(this.cluster, group.names)
      items.push({ ...group.subject, action: isThere ? 'none' : 'create', complete: true, differences: [] })
    }
    return items
  }

  private async refresh(topics: readonly WantedTopic[]): Promise<void> {
    const names = topics.map(({ subject }) => subject.nativeName)
    await this.cluster.persist(() => this.cluster.learn(names))
  }

  private async create(missing: readonly WantedTopic[]): Promise<void> {
    if (missing.length === 0) return
    for (const [replicas, own] of groupBy(missing, ({ replicas }) => replicas)) {
      const wanted = own.map(({ subject, config, ...topic }) => ({
        topic: subject.nativeName,
        partitions: this.countOf(topic),
        config,
      }))
      const results = await this.cluster.persist(() =>
        this.cluster.askController(createTopics(wanted, replicas, createTimeoutMs)),
      )
      for (const { topic, error, message } of results) {
        if (error !== kafkaErrors.TOPIC_ALREADY_EXISTS)
          throwOnError(error, `CreateTopics of ${topic}`, message)
      }
    }
    const names = missing.map(({ subject }) => subject.nativeName)
    await this.cluster.untilAllKnow(names, 'there', leadersTimeoutMs)
    await this.waitForLeaders(missing)
  }

  /** Gives retry topics a partition for each that what they belong to has got since. */
  private async grow(topics: readonly WantedTopic[]): Promise<void> {
    const short = topics.filter(
      (topic) =>
        topic.follows !== undefined &&
        this.cluster.partitionCount(topic.subject.nativeName) < this.countOf(topic),
    )
    if (short.length === 0) return
    const wanted = short.map((topic) => ({
      topic: topic.subject.nativeName,
      partitions: this.countOf(topic),
    }))
    const results = await this.cluster.persist(() =>
      this.cluster.askController(addPartitions(wanted, createTimeoutMs)),
    )
    for (const { topic, error, message } of results) {
      // Somebody else has done it.
      if (error !== kafkaErrors.INVALID_PARTITIONS)
        throwOnError(error, `CreatePartitions of ${topic}`, message)
    }
    await this.waitForLeaders(short)
  }

  private countOf({ partitions, follows }: Pick<WantedTopic, 'partitions' | 'follows'>): number {
    const followed = follows === undefined ? 0 : this.cluster.partitionCount(follows)
    return followed === 0 ? partitions : stepCount + followed
  }

  private async waitForLeaders(topics: readonly WantedTopic[]): Promise<void> {
    const { cluster } = this
    const until = cluster.clock.now() + leadersTimeoutMs
    const isReady = ({ subject: { nativeName } }: WantedTopic): boolean => {
      const count = cluster.partitionCount(nativeName)
      for (let partition = 0; partition < count; partition++) {
        if (cluster.leader({ topic: nativeName, partition }) < 0) return false
      }
      return count > 0
    }
    for (let pauseMs = 10; ; pauseMs = Math.min(200, pauseMs * 2)) {
      await this.refresh(topics)
      if (topics.every(isReady)) return
      if (cluster.clock.now() > until) {
        throw new KafkaError(kafkaErrors.LEADER_NOT_AVAILABLE, 'the question for the leaders of new topics')
      }
      await cluster.pause(pauseMs)
    }
  }

  private async compare(topics: readonly WantedTopic[], mode: 'create' | 'check'): Promise<void> {
    for (const [topic, [first]] of await this.differences(topics, mode)) {
      if (first === undefined) continue
      throw topologyMismatch(`The topic "${topic}"`, first.argument, first.wanted, first.found)
    }
  }

  /** By topic. In mode `check` topics of others are taken as they are, but for what was asked for. */
  private async differences(
    topics: readonly WantedTopic[],
    mode: 'create' | 'check',
  ): Promise<ReadonlyMap<string, Differences>> {
    const found = new Map<string, Differences>()
    const looked = topics.filter(({ asked }) => mode === 'create' || asked.size > 0)
    const configs = await this.describe(looked)
    await this.cluster.persist(() => this.cluster.refresh(topics.flatMap(besideOther)))
    for (const topic of topics) {
      const { subject, config, asked, isCountAsked } = topic
      const differences: Differences[number][] = []
      if (besideOther(topic).some((name) => this.cluster.partitionCount(name) > 0)) {
        const found = subject.kind === 'queue' ? 'topic' : 'queue'
        differences.push({ argument: 'kind', wanted: subject.kind, found })
      }
      const count = this.cluster.partitionCount(subject.nativeName)
      const wanted = this.countOf(topic)
      // A retry topic grows, where it may; until then partitions that came later share ready ones.
      const isOther = topic.follows === undefined ? isCountAsked && count !== wanted : count <= stepCount
      if (isOther) differences.push({ argument: 'partitions', wanted, found: count })
      for (const [argument, value] of Object.entries(config)) {
        // Without the mark, what is worked off is kept.
        if ((mode === 'check' || argument === queueMark.name) && !asked.has(argument)) continue
        const actual = configs.get(subject.nativeName)?.get(argument)
        if (actual !== undefined && actual !== value) {
          differences.push({ argument, wanted: value, found: actual })
        }
      }
      found.set(subject.nativeName, differences)
    }
    return found
  }

  private async describe(
    topics: readonly WantedTopic[],
  ): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    if (topics.length === 0) return new Map()
    const names = new Set(topics.flatMap(({ config }) => Object.keys(config)))
    const request = describeTopics(
      topics.map(({ subject }) => subject.nativeName),
      [...names],
    )
    const answers = await this.cluster.persist(() => this.cluster.askAny(request))
    return new Map(answers.map(({ topic, config }) => [topic, config]))
  }
}

/** What would be beside the main topic if it were that of a topic instead of a queue, or the other way round. */
function besideOther({ subject: { kind, part, nativeName } }: WantedTopic): string[] {
  if (part !== 'main') return []
  return [kind === 'queue' ? delayedTopic(nativeName) : retryTopic(nativeName)]
}
