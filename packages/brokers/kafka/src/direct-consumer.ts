import { sourceName } from '@posthorn/transport/driver'
import { consumerEnded, leaseLost } from './errors.ts'
import { deleteTopic } from './delete-topic.ts'
import { Fetcher } from './fetcher.ts'
import { fromWire } from './from-wire.ts'
import { InboxKeeper, isSign } from './inbox-keeper.ts'
import { LogLine } from './log-line.ts'
import { matcherOf } from './matcher.ts'
import { nativeName } from './names.ts'
import { listOffsets, moments } from './protocol/offsets.ts'
import { TopicWatch } from './topic-watch.ts'
import type { ConsumerParts } from './consumer-parts.ts'
import type { KafkaRecord } from './protocol/record.ts'
import type {
  ConsumeRequest,
  Delivery,
  DeliverySink,
  DriverConsumer,
  Scope,
  SettleItem,
  SettleOutcome,
  Source,
} from '@posthorn/transport/driver'

type DirectSource = Extract<Source, { readonly kind: 'ephemeral' | 'inbox' }>

/** Reads a topic from its end on, without a group, a position or a second try. */
export class DirectConsumer implements DriverConsumer {
  readonly flow = 'dynamic'
  private readonly parts: ConsumerParts
  private readonly source: DirectSource
  private readonly sink: DeliverySink
  private readonly onOver: (consumer: DirectConsumer) => void
  private readonly scope: Scope
  private readonly topic: string
  private readonly purpose: string
  private readonly fetcher: Fetcher
  private readonly watch: TopicWatch
  private readonly keeper: InboxKeeper | undefined
  private readonly matches: ReturnType<typeof matcherOf>
  private lines: LogLine[] = []
  private size = 0
  private turn = 0
  private unsettled = 0
  private isOver = false

  constructor(
    parts: ConsumerParts,
    source: DirectSource,
    request: ConsumeRequest,
    sink: DeliverySink,
    onOver: (consumer: DirectConsumer) => void,
  ) {
    const { namespace } = parts.host
    this.parts = parts
    this.source = source
    this.sink = sink
    this.onOver = onOver
    this.scope = { name: sourceName(source) }
    this.topic = nativeName(namespace, source.kind === 'inbox' ? source.name : source.topic)
    this.matches = matcherOf(source)
    this.purpose = `fetch-${parts.nextSerial()}`
    this.fetcher = new Fetcher(parts.cluster, this.purpose, request.prefetchBytes, {
      gap: (line, missing) => {
        const scope = `${line.topic}/${line.partition}`
        this.parts.host.emit('gap', { source: this.scope.name, scope, missing })
      },
      over: (_, reason) => this.end(reason),
    })
    this.keeper = source.kind === 'inbox' ? new InboxKeeper(parts, this.topic) : undefined
    this.watch = new TopicWatch(parts.cluster, [this.topic], {
      grown: () => this.grow(),
      over: (reason) => this.end(reason),
    })
  }

  /** Fixes where it begins: now. */
  async start(): Promise<void> {
    const { cluster, host } = this.parts
    const what = `The topic of "${this.scope.name}"`
    await this.watch.start()
    const count = await cluster.partitionsOf(this.topic, what)
    await this.keeper?.start()
    const wanted = Array.from({ length: count }, (_, partition) => ({
      topic: this.topic,
      partition,
      time: moments.end,
    }))
    const ends = await cluster.askLeaders(wanted, (entries) => listOffsets(entries))
    this.lines = ends.map(({ topic, partition, offset }) => new LogLine(topic, partition, offset))
    await this.fetcher.connect(this.lines)
    // What comes meanwhile is gone, as it is when the process is.
    cluster.watchConnections(this.purpose, () => this.end('a connection ended'))
    host.clock.defer(() => this.begin())
  }

  window(_scope: Scope, size: number): void {
    this.size = size
    // It is called while something is delivered, which comes before what there is room for now.
    this.parts.host.clock.defer(() => this.pump())
  }

  async settle(_scope: Scope, items: readonly SettleItem[]): Promise<readonly SettleOutcome[]> {
    for (const { verb } of items) if (verb !== 'hold') this.unsettled -= 1
    if (!this.isOver) this.parts.host.clock.defer(() => this.pump())
    return items.map(() => (this.isOver ? 'lost' : 'confirmed'))
  }

  async renew(_scope: Scope, deliveries: readonly Delivery[]): Promise<readonly SettleOutcome[]> {
    return deliveries.map(() => (this.isOver ? 'lost' : 'confirmed'))
  }

  async ready(): Promise<undefined> {
    return undefined
  }

  /** Deletes an inbox. */
  async close(): Promise<void> {
    if (this.isOver) return
    this.void()
    if (this.source.kind === 'inbox') await deleteTopic(this.parts.cluster, this.topic).catch(() => undefined)
  }

  heldOf(): number {
    return 0
  }

  void(): void {
    if (this.isOver) return
    this.isOver = true
    this.parts.cluster.watchConnections(this.purpose, undefined)
    this.watch.close()
    this.keeper?.close()
    this.fetcher.close()
    this.onOver(this)
  }

  private begin(): void {
    if (this.isOver) return
    this.size = this.sink.assigned(this.scope)
    for (const line of this.lines) this.read(line)
  }

  /** Partitions that were added are read from their beginning: nothing of them was before. */
  private grow(): void {
    const count = this.parts.cluster.partitionCount(this.topic)
    for (let partition = this.lines.length; partition < count; partition++) {
      const line = new LogLine(this.topic, partition, 0)
      this.lines.push(line)
      this.read(line)
    }
  }

  private read(line: LogLine): void {
    line.onRecords = () => this.pump()
    this.fetcher.add(line)
  }

  private pump(): void {
    if (this.isOver) return
    const batch: Delivery[] = []
    // Each has the first turn once.
    this.turn = (this.turn + 1) % Math.max(1, this.lines.length)
    for (const line of [...this.lines.slice(this.turn), ...this.lines.slice(0, this.turn)]) {
      for (let record = line.peek; record !== undefined; record = line.peek) {
        if (this.unsettled + batch.length >= this.size) break
        line.shift()
        const delivery = this.toDelivery(line, record)
        if (delivery !== undefined) batch.push(delivery)
      }
    }
    this.fetcher.wake()
    if (batch.length === 0) return
    this.unsettled += batch.length
    this.sink.deliver(this.scope, batch)
  }

  private toDelivery({ topic, partition }: LogLine, record: KafkaRecord): Delivery | undefined {
    const now = this.parts.host.clock.now()
    const { message, invalid } = fromWire(record, { topic, partition, now })
    if (!this.matches(message) || (this.keeper !== undefined && isSign(record))) return undefined
    return { scope: this.scope, token: undefined, message, deliveries: 1, invalid: record.problem ?? invalid }
  }

  private end(reason: string): void {
    if (this.isOver) return
    this.void()
    if (this.source.kind === 'inbox') void deleteTopic(this.parts.cluster, this.topic).catch(() => undefined)
    this.sink.lost(this.scope, leaseLost(this.scope.name, reason))
    this.sink.ended(consumerEnded(this.scope.name, reason, true))
  }
}
