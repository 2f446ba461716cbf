import { sourceName } from '@posthorn/transport/driver'
import { leaseLost } from './errors.ts'
import { Mover } from './mover.ts'
import { openReadings, type TellGap } from './open-readings.ts'
import { PumpTurns } from './pump-turns.ts'
import { readyCount } from './delay-steps.ts'
import { Slot } from './slot.ts'
import { sourceUnits } from './source-units.ts'
import type { Committer } from './committer.ts'
import type { ConsumerParts } from './consumer-parts.ts'
import type { Copies } from './copies.ts'
import type { DurableSource, SourceNames } from './names.ts'
import type { Fetcher } from './fetcher.ts'
import type { Reading } from './reading.ts'
import type { Unit } from './group-protocol.ts'
import type { DeliverySink, WireMessage } from '@posthorn/transport/driver'

export interface HoldingsParts {
  readonly connection: ConsumerParts
  readonly source: DurableSource
  readonly names: SourceNames
  readonly sink: DeliverySink
  readonly committer: Committer
  readonly fetcher: Fetcher
  readonly copies: Copies
  readonly matches: (message: WireMessage) => boolean
  readonly tellGap: TellGap
  /** Where the group is cannot be found out, and trying again is of no use. */
  readonly failed: (error: unknown) => void
  /** Resolves when the sink may be called. */
  readonly begun: Promise<void>
  /** Milliseconds that it may take until what was asked back is settled. */
  readonly revokeMs: number
}

/** What one member of a group has of its source: slots, which hand out, and movers. */
export class Holdings {
  private readonly parts: HoldingsParts
  private readonly turns: PumpTurns
  private readonly slots = new Map<string, Slot>()
  private readonly movers = new Map<string, Mover>()
  /** Those that are ours, each since another moment: what is being set up may have been lost, and come again, meanwhile. */
  private readonly owned = new Map<string, symbol>()
  private isClosed = false

  constructor(parts: HoldingsParts) {
    this.parts = parts
    this.turns = new PumpTurns(parts.connection.host.clock)
  }

  get scopes(): readonly Slot[] {
    return [...this.slots.values()]
  }

  /** What is worked off by nobody else. */
  get ownReadings(): readonly Reading[] {
    const isQueue = this.parts.source.kind === 'queue'
    return [
      // A topic is read by all its groups.
      ...this.scopes.flatMap(({ readings }) => (isQueue ? readings : readings.slice(0, -1))),
      // What waits in the topic of a topic waits for all its groups.
      ...[...this.movers].flatMap(([name, { reading }]) => (name.startsWith('step:') ? [reading] : [])),
    ]
  }

  gained(names: readonly string[]): void {
    const since = Symbol()
    for (const name of names) this.owned.set(name, since)
    void this.setUp(names, since)
  }

  /** Gives slots their part of the retry topic, where they have one now and had none before. Never rejects. */
  async extend(): Promise<void> {
    const { connection, names, fetcher } = this.parts
    for (const { name, partitions } of sourceUnits(connection.cluster, names)) {
      const slot = this.slots.get(name)
      if (slot === undefined) continue
      const isWanted = (): boolean =>
        this.owned.has(name) && this.slots.get(name) === slot && slot.readings.length < partitions.length
      const unit = { name, partitions: partitions.slice(0, -slot.readings.length) }
      const readings = isWanted() ? await this.open([unit], isWanted) : undefined
      for (const reading of readings?.get(unit) ?? []) {
        if (!isWanted()) break
        slot.add(reading)
        fetcher.add(reading.line)
      }
    }
  }

  /** Resolves when it is somebody else's, as far as this member is concerned. */
  async giveUp(name: string): Promise<void> {
    this.owned.delete(name)
    const slot = this.slots.get(name)
    const mover = this.movers.get(name)
    this.stopFetching(slot, mover)
    if (slot !== undefined) {
      slot.stop()
      await this.parts.sink.revoke(slot, this.parts.revokeMs)
    }
    await (slot ?? mover)?.finish()
    slot?.close()
    mover?.close()
    // It may have been lost meanwhile, and be ours again.
    if (this.slots.get(name) === slot) this.slots.delete(name)
    if (this.movers.get(name) === mover) this.movers.delete(name)
  }

  /** All are gone already. */
  lose(reason: string): void {
    const { slots } = this.drop()
    for (const slot of slots) this.parts.sink.lost(slot, leaseLost(slot.name, reason))
  }

  /** Hands out nothing more, and commits what is done. */
  async finish(): Promise<void> {
    for (const slot of this.slots.values()) slot.stop()
    await Promise.all([...this.slots.values(), ...this.movers.values()].map((one) => one.finish()))
  }

  /** Without a word to anybody. */
  close(): void {
    this.isClosed = true
    this.drop()
  }

  private drop(): { readonly slots: readonly Slot[] } {
    const slots = this.scopes
    const movers = [...this.movers.values()]
    this.owned.clear()
    this.slots.clear()
    this.movers.clear()
    for (const one of [...slots, ...movers]) one.close()
    for (const slot of slots) this.stopFetching(slot, undefined)
    for (const mover of movers) this.stopFetching(undefined, mover)
    return { slots }
  }

  private stopFetching(slot: Slot | undefined, mover: Mover | undefined): void {
    for (const { line } of slot?.readings ?? []) this.parts.fetcher.remove(line)
    if (mover !== undefined) this.parts.fetcher.remove(mover.reading.line)
  }

  private async setUp(names: readonly string[], since: symbol): Promise<void> {
    const isOurs = (name: string): boolean => !this.isClosed && this.owned.get(name) === since
    await this.parts.begun
    const units = await this.find(names, () => names.some(isOurs))
    const readings = await this.open(units, () => names.some(isOurs))
    for (const unit of units) {
      const own = readings?.get(unit)
      if (own === undefined || !isOurs(unit.name)) continue
      if (unit.name.startsWith('slot:')) this.openSlot(unit, own)
      else this.openMover(unit, own[0]!)
    }
    // There may be more partitions than when it was looked at.
    await this.extend()
  }

  /** Nothing when it is not wanted any more, or cannot be: that is told. */
  private async open(
    units: readonly Unit[],
    isWanted: () => boolean,
  ): Promise<ReadonlyMap<Unit, readonly Reading[]> | undefined> {
    const { connection, names, tellGap, failed } = this.parts
    try {
      return await openReadings(connection.cluster, names.group, units, isWanted, tellGap)
    } catch (error) {
      if (isWanted()) failed(error)
      return undefined
    }
  }

  /** The leader of the group may have heard earlier of partitions that were added. */
  private async find(names: readonly string[], isWanted: () => boolean): Promise<readonly Unit[]> {
    const { connection, names: sourceNames } = this.parts
    const { topic, retry, delayed } = sourceNames
    const topics = [topic, retry, ...(delayed === undefined ? [] : [delayed])]
    for (;;) {
      const units = sourceUnits(connection.cluster, sourceNames).filter(({ name }) => names.includes(name))
      if (units.length === names.length || !isWanted()) return units
      await connection.cluster.pause()
      await connection.cluster.refresh(topics).catch(() => undefined)
    }
  }

  private openSlot({ name, partitions }: Unit, readings: readonly Reading[]): void {
    const { committer, sink, matches, copies, fetcher, connection } = this.parts
    const source = sourceName(this.parts.source)
    const { partition } = partitions.at(-1)!
    const scope = `${source}[${partition}]`
    const slot = new Slot(scope, partition, readings, {
      clock: connection.host.clock,
      turns: this.turns,
      committer,
      sink,
      matches,
      full: (isFull) => this.tellFull(source, scope, isFull),
      copy: (items, line) => copies.write(items, line),
      drained: () => fetcher.wake(),
    })
    this.slots.set(name, slot)
    slot.window(sink.assigned(slot))
    for (const { line } of readings) fetcher.add(line)
  }

  private openMover({ name }: Unit, reading: Reading): void {
    const { committer, matches, fetcher, names } = this.parts
    const { cluster, publisher, host } = this.parts.connection
    const mover = new Mover(reading, {
      clock: host.clock,
      committer,
      publisher,
      retry: names.retry,
      partitions: () => cluster.partitionCount(names.topic),
      ready: () => readyCount(cluster.partitionCount(names.retry)),
      matches,
      drained: () => fetcher.wake(),
    })
    this.movers.set(name, mover)
    fetcher.add(reading.line)
  }

  private tellFull(source: string, scope: string, isFull: boolean): void {
    const { emit } = this.parts.connection.host
    const reason = 'what is done above a message that is open has no more room beside the position'
    if (isFull) emit('paused', { source, scope, types: undefined, reason })
    else emit('resumed', { source, scope, types: undefined })
  }
}
