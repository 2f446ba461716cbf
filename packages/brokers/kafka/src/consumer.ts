import { createRouter, sourceName } from '@posthorn/transport/driver'
import { Committer } from './committer.ts'
import { Copies } from './copies.ts'
import { consumerEnded, describeError, leaseLost, topologyMissing } from './errors.ts'
import { Fetcher } from './fetcher.ts'
import { GroupMember } from './group-member.ts'
import { groupIsThere } from './group-start.ts'
import { Mover } from './mover.ts'
import { sourceNames, type DurableSource, type SourceNames } from './names.ts'
import { openReadings } from './open-readings.ts'
import { PumpTurns } from './pump-turns.ts'
import { Slot } from './slot.ts'
import { listOffsets, moments } from './protocol/offsets.ts'
import { sourceUnits } from './source-units.ts'
import { Trimmer } from './trimmer.ts'
import type { ConsumerParts } from './consumer-parts.ts'
import type { Unit } from './group-protocol.ts'
import type { LogLine } from './log-line.ts'
import type { Reading } from './reading.ts'
import type {
  ConsumeRequest,
  Delivery,
  DeliverySink,
  DriverConsumer,
  Scope,
  SettleItem,
  SettleOutcome,
  WireMessage,
} from '@posthorn/transport/driver'

/** Milliseconds: beyond the longest handler. */
const revokeMarginMs = 5_000
const readyTimeoutMs = 5_000

/** One member of a source's group. */
export class KafkaConsumer implements DriverConsumer {
  readonly flow = 'dynamic'
  private readonly parts: ConsumerParts
  private readonly source: DurableSource
  private readonly names: SourceNames
  private readonly request: ConsumeRequest
  private readonly sink: DeliverySink
  private readonly onOver: (consumer: KafkaConsumer) => void
  private readonly member: GroupMember
  private readonly committer: Committer
  private readonly turns: PumpTurns
  private readonly trimmer: Trimmer
  private readonly fetcher: Fetcher
  private readonly copies: Copies
  private readonly matches: (message: WireMessage) => boolean
  private readonly slots = new Map<string, Slot>()
  private readonly movers = new Map<string, Mover>()
  /** Those that are ours, each since another moment: what is being set up may have been lost, and come again, meanwhile. */
  private readonly owned = new Map<string, symbol>()
  private readonly begun: Promise<void>
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
    this.request = request
    this.sink = sink
    this.onOver = onOver
    this.names = sourceNames(host.namespace, source)
    this.begun = new Promise((resolve) => {
      this.begin = resolve
    })
    const serial = parts.nextSerial()
    this.member = new GroupMember({
      cluster,
      group: this.names.group,
      purpose: `group-${serial}`,
      sessionTimeoutMs: settings.sessionTimeoutMs,
      rebalanceTimeoutMs: request.handlerTimeoutMs + 2 * revokeMarginMs,
      units: async () => sourceUnits(cluster, this.names),
      listener: {
        gained: (units) => this.gained(units),
        giveUp: (unit) => this.giveUp(unit),
        lost: (reason) => this.end(reason, true),
        failed: (error) => this.end(describeError(error), false),
      },
    })
    this.turns = new PumpTurns(host.clock)
    this.trimmer = new Trimmer(cluster, () => [
      ...[...this.slots.values()].flatMap((slot) => slot.readings),
      // What waits in the topic of a topic waits for all its groups.
      ...[...this.movers].flatMap(([name, { reading }]) => (name.startsWith('step:') ? [reading] : [])),
    ])
    this.committer = new Committer(cluster, this.names.group, this.member, `commit-${serial}`)
    this.fetcher = new Fetcher(cluster, `fetch-${serial}`, request.prefetchBytes, {
      gap: (line, missing) => this.gap(line, missing),
      missing: (line) => {
        if (line.topic === this.names.topic) this.end(`its topic "${line.topic}" was deleted`, true)
      },
    })
    this.copies = new Copies(parts, this.names, sourceName(source))
    this.matches = matcherOf(source)
  }

  /** Joins its group. Rejects where there is nothing to consume. */
  async start(): Promise<void> {
    const { cluster } = this.parts
    const { topic, retry, delayed } = this.names
    await cluster.persist(() =>
      cluster.partitionsOf(topic, `The ${this.source.kind} "${sourceName(this.source)}"`),
    )
    for (const side of [retry, delayed]) if (side !== undefined) await cluster.countPartitions(side)
    if (this.source.kind === 'subscription' && !(await groupIsThere(cluster, this.names))) {
      throw topologyMissing(`The group "${this.names.group}"`)
    }
    await this.member.start()
    this.parts.host.clock.defer(this.begin)
    this.trimmer.start()
  }

  window(scope: Scope, size: number): void {
    this.slotOf(scope)?.window(size)
  }

  async settle(scope: Scope, items: readonly SettleItem[]): Promise<readonly SettleOutcome[]> {
    return scope instanceof Slot ? scope.settle(items) : items.map(() => 'lost')
  }

  async renew(scope: Scope, deliveries: readonly Delivery[]): Promise<readonly SettleOutcome[]> {
    const outcome = this.slotOf(scope) === undefined ? 'lost' : 'confirmed'
    return deliveries.map(() => outcome)
  }

  async ready(): Promise<number | undefined> {
    const slots = [...this.slots.values()]
    const readings = new Map(
      slots.flatMap((slot) =>
        slot.readings.map((reading) => [`${reading.line.topic} ${reading.line.partition}`, reading]),
      ),
    )
    const wanted = [...readings.values()].map(({ line: { topic, partition } }) => ({
      topic,
      partition,
      time: moments.end,
    }))
    // Asked, since the last fetch may be what hangs.
    const ends = await this.parts.cluster
      .askLeaders(wanted, listOffsets, readyTimeoutMs)
      .catch(() => undefined)
    return ends?.reduce(
      (sum, { topic, partition, offset }) =>
        sum + Math.max(0, offset - readings.get(`${topic} ${partition}`)!.position.next),
      slots.reduce((sum, { returning }) => sum + returning, 0),
    )
  }

  async close(): Promise<void> {
    if (this.state !== 'open') return
    this.state = 'closing'
    for (const slot of this.slots.values()) slot.stop()
    const all = [...this.slots.values(), ...this.movers.values()]
    const finished = Promise.all(all.map((one) => one.finish()))
    await Promise.race([finished, this.parts.cluster.pause(revokeMarginMs)])
    await this.member.leave()
    this.void()
  }

  /** What it holds of a group; nothing of another one. */
  heldOf(group: string): number {
    if (group !== this.names.group) return 0
    return [...this.slots.values()].reduce((sum, { held }) => sum + held, 0)
  }

  /** Ends it without a word to anybody. */
  void(): void {
    if (this.state === 'over') return
    this.state = 'over'
    this.member.end()
    for (const one of [...this.slots.values(), ...this.movers.values()]) one.close()
    this.slots.clear()
    this.movers.clear()
    this.owned.clear()
    this.fetcher.close()
    this.committer.close()
    this.trimmer.close()
    this.onOver(this)
  }

  private gained(names: readonly string[]): void {
    const since = Symbol()
    for (const name of names) this.owned.set(name, since)
    void this.setUp(names, since)
  }

  private async setUp(names: readonly string[], since: symbol): Promise<void> {
    const { cluster } = this.parts
    const units = sourceUnits(cluster, this.names).filter(({ name }) => names.includes(name))
    await this.begun
    const readings = await openReadings(cluster, this.names.group, units, () => this.state === 'open')
    for (const unit of units) {
      const own = readings?.get(unit)
      if (own === undefined || this.state !== 'open' || this.owned.get(unit.name) !== since) continue
      if (unit.name.startsWith('slot:')) this.openSlot(unit, own)
      else this.openMover(unit, own[0]!)
    }
  }

  private openSlot({ name, partitions }: Unit, readings: readonly Reading[]): void {
    const { clock } = this.parts.host
    const { committer, sink, matches } = this
    const { partition } = partitions.at(-1)!
    const slot = new Slot(`${sourceName(this.source)}[${partition}]`, partition, readings, {
      clock,
      turns: this.turns,
      committer,
      sink,
      matches,
      copy: (items, line) => this.copies.write(items, line),
      drained: () => this.fetcher.wake(),
    })
    this.slots.set(name, slot)
    slot.window(sink.assigned(slot))
    for (const { line } of readings) this.fetcher.add(line)
  }

  private openMover({ name }: Unit, reading: Reading): void {
    const { cluster, publisher, host } = this.parts
    const mover = new Mover(reading, {
      clock: host.clock,
      committer: this.committer,
      publisher,
      retry: this.names.retry,
      partitions: () => cluster.partitionCount(this.names.topic),
      matches: this.matches,
      drained: () => this.fetcher.wake(),
    })
    this.movers.set(name, mover)
    this.fetcher.add(reading.line)
  }

  private async giveUp(name: string): Promise<void> {
    this.owned.delete(name)
    const slot = this.slots.get(name)
    const mover = this.movers.get(name)
    for (const { line } of slot?.readings ?? []) this.fetcher.remove(line)
    if (mover !== undefined) this.fetcher.remove(mover.reading.line)
    if (slot !== undefined) {
      slot.stop()
      await this.sink.revoke(slot, this.request.handlerTimeoutMs + revokeMarginMs)
    }
    await (slot ?? mover)?.finish()
    slot?.close()
    mover?.close()
    // It may have been lost meanwhile, and be ours again.
    if (this.slots.get(name) === slot) this.slots.delete(name)
    if (this.movers.get(name) === mover) this.movers.delete(name)
  }

  private lose(reason: string): void {
    this.owned.clear()
    const slots = [...this.slots.values()]
    for (const { reading } of this.movers.values()) this.fetcher.remove(reading.line)
    for (const one of [...slots, ...this.movers.values()]) one.close()
    this.slots.clear()
    this.movers.clear()
    for (const slot of slots) {
      for (const { line } of slot.readings) this.fetcher.remove(line)
      if (this.state === 'open') this.sink.lost(slot, leaseLost(slot.name, reason))
    }
  }

  private end(reason: string, retryable: boolean): void {
    if (this.state !== 'open') return
    this.lose(reason)
    this.void()
    this.sink.ended(consumerEnded(sourceName(this.source), reason, retryable))
  }

  private gap(line: LogLine, missing: number | undefined): void {
    const readings = [...this.slots.values()].flatMap((slot) => slot.readings)
    readings.find((reading) => reading.line === line)?.jumped()
    this.parts.host.emit('gap', {
      source: sourceName(this.source),
      scope: `${line.topic}/${line.partition}`,
      missing,
    })
  }

  private slotOf(scope: Scope): Slot | undefined {
    return scope instanceof Slot ? scope : undefined
  }
}

function matcherOf(source: DurableSource): (message: WireMessage) => boolean {
  if (source.kind === 'queue' || source.patterns.includes('#')) return () => true
  const router = createRouter<true>()
  for (const pattern of source.patterns) router.add(pattern, true)
  return ({ routingKey }) => router.route(routingKey).length > 0
}
