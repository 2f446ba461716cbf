import { sourceName } from '@posthorn/transport/driver'
import { Committer } from './committer.ts'
import { Copies } from './copies.ts'
import { consumerEnded, describeError, topologyMissing } from './errors.ts'
import { countReady } from './source-ready.ts'
import { Fetcher } from './fetcher.ts'
import { GroupMember } from './group-member.ts'
import { groupIsThere } from './group-start.ts'
import { Holdings } from './holdings.ts'
import { matcherOf } from './matcher.ts'
import { sourceNames, type DurableSource, type SourceNames } from './names.ts'
import { Slot } from './slot.ts'
import { sourceUnits } from './source-units.ts'
import { TopicWatch } from './topic-watch.ts'
import { Trimmer } from './trimmer.ts'
import type { ConsumerParts } from './consumer-parts.ts'
import type { TopicPartition } from './protocol/request.ts'
import type {
  ConsumeRequest,
  Delivery,
  DeliverySink,
  DriverConsumer,
  Scope,
  SettleItem,
  SettleOutcome,
} from '@posthorn/transport/driver'

/** Milliseconds: beyond the longest handler. */
const revokeMarginMs = 5_000

/** One member of a source's group. */
export class KafkaConsumer implements DriverConsumer {
  readonly flow = 'dynamic'
  private readonly parts: ConsumerParts
  private readonly source: DurableSource
  private readonly names: SourceNames
  private readonly sink: DeliverySink
  private readonly onOver: (consumer: KafkaConsumer) => void
  private readonly member: GroupMember
  private readonly committer: Committer
  private readonly trimmer: Trimmer
  private readonly watch: TopicWatch
  private readonly fetcher: Fetcher
  private readonly holdings: Holdings
  private begin: () => void = () => undefined
  private state: 'open' | 'closing' | 'over' = 'open'

  constructor(
    parts: ConsumerParts,
    source: DurableSource,
    request: ConsumeRequest,
    sink: DeliverySink,
    onOver: (consumer: KafkaConsumer) => void,
  ) {
    const { cluster, host, settings } = parts
    this.parts = parts
    this.source = source
    this.sink = sink
    this.onOver = onOver
    this.names = sourceNames(host.namespace, source)
    const { topic, retry, delayed, deadLetters, group } = this.names
    const topics = [topic, retry, ...(delayed === undefined ? [] : [delayed])]
    const serial = parts.nextSerial()
    this.watch = new TopicWatch(cluster, topics, {
      grown: () => {
        this.member.rejoin()
        void this.holdings.extend()
      },
      over: (reason) => this.end(reason, true),
    })
    this.member = new GroupMember({
      cluster,
      group,
      purpose: `group-${serial}`,
      sessionTimeoutMs: settings.sessionTimeoutMs,
      topics: [...topics, deadLetters],
      units: async () => {
        // Whoever shares them out has to know of all.
        await cluster.refresh(topics).catch(() => undefined)
        return sourceUnits(cluster, this.names)
      },
      listener: {
        gained: (units) => this.holdings.gained(units),
        giveUp: (unit) => this.holdings.giveUp(unit),
        lost: (reason) => this.end(reason, true),
        failed: (error) => this.end(describeError(error), false),
      },
    })
    this.trimmer = new Trimmer(cluster, () => this.holdings.ownReadings)
    this.committer = new Committer(cluster, group, this.member, `commit-${serial}`)
    this.fetcher = new Fetcher(cluster, `fetch-${serial}`, request.prefetchBytes, {
      gap: (line, missing) => this.gap(line, missing),
      over: (_, reason) => this.end(reason, true),
    })
    this.holdings = new Holdings({
      connection: parts,
      source,
      names: this.names,
      sink,
      committer: this.committer,
      fetcher: this.fetcher,
      copies: new Copies(parts, this.names),
      matches: matcherOf(source),
      tellGap: (where, missing) => this.gap(where, missing),
      failed: (error) => this.end(describeError(error), true),
      begun: new Promise((resolve) => {
        this.begin = resolve
      }),
      revokeMs: request.handlerTimeoutMs + revokeMarginMs,
    })
  }

  /** Joins its group. Rejects where there is nothing to consume. */
  async start(): Promise<void> {
    const { cluster, host } = this.parts
    await this.watch.start()
    await cluster.partitionsOf(this.names.topic, `The ${this.source.kind} "${sourceName(this.source)}"`)
    if (this.source.kind === 'subscription' && !(await groupIsThere(cluster, this.names))) {
      throw topologyMissing(`The group "${this.names.group}"`)
    }
    await this.member.start()
    host.clock.defer(this.begin)
    this.trimmer.start()
  }

  window(scope: Scope, size: number): void {
    if (scope instanceof Slot) scope.window(size)
  }

  async settle(scope: Scope, items: readonly SettleItem[]): Promise<readonly SettleOutcome[]> {
    return scope instanceof Slot ? scope.settle(items) : items.map(() => 'lost')
  }

  async renew(scope: Scope, deliveries: readonly Delivery[]): Promise<readonly SettleOutcome[]> {
    return deliveries.map(() => (scope instanceof Slot && scope.isOurs ? 'confirmed' : 'lost'))
  }

  ready(): Promise<number | undefined> {
    return countReady(this.parts.cluster, this.holdings.scopes)
  }

  async close(): Promise<void> {
    if (this.state !== 'open') return
    this.state = 'closing'
    await this.parts.cluster.atMost(revokeMarginMs, this.holdings.finish())
    await this.member.leave()
    this.void()
  }

  /** What it holds of a group; nothing of another one. */
  heldOf(group: string): number {
    if (group !== this.names.group) return 0
    return this.holdings.scopes.reduce((sum, { held }) => sum + held, 0)
  }

  /** Ends it at once, without a word to the sink. */
  void(): void {
    if (this.state === 'over') return
    this.state = 'over'
    this.watch.close()
    // Whoever comes next need not wait for the session to end.
    void this.member.leave()
    this.holdings.close()
    this.fetcher.close()
    this.committer.close()
    this.trimmer.close()
    this.onOver(this)
  }

  private end(reason: string, retryable: boolean): void {
    if (this.state !== 'open') return this.void()
    this.holdings.lose(reason)
    this.void()
    this.sink.ended(consumerEnded(sourceName(this.source), reason, retryable))
  }

  private gap({ topic, partition }: TopicPartition, missing: number | undefined): void {
    const scope = `${topic}/${partition}`
    this.parts.host.emit('gap', { source: sourceName(this.source), scope, missing })
    if (this.parts.settings.onGap === 'end') this.end(`messages of ${scope} are gone (onGap: 'end')`, false)
  }
}
