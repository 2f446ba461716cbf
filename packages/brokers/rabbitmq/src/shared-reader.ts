import { describeError } from './errors.ts'
import { Intake } from './intake.ts'
import { Reading } from './reading.ts'
import { Settler, type DeliveryToken } from './settler.ts'
import { toDelivery } from './to-delivery.ts'
import type { QueueReader, ReaderParts } from './queue-reader.ts'
import type { Scope, SettleItem, SettleOutcome } from '@posthorn/transport/driver'
import type { Channel, ConsumeMessage } from 'amqplib'

/** Reads a queue beside others that do, on a channel of its own, which is its scope. */
export class SharedReader implements QueueReader {
  private readonly of: ReaderParts
  private readonly scope: Scope
  private readonly reading: Reading
  private readonly intake: Intake
  private readonly settler: Settler
  private isClosing = false
  /** The broker's window, as it is and as it is to be: at first one, as every runner begins, or a crash would count for others. */
  private prefetch = 1
  private wantedPrefetch = 1
  private reshaping: Promise<void> | undefined

  constructor(of: ReaderParts, channel: Channel) {
    const { parts, target, sink } = of
    this.of = of
    this.scope = { name: `channel ${parts.nextSerial()} of ${target.name}` }
    this.intake = new Intake(this.scope, sink)
    this.reading = new Reading({
      parts,
      target,
      channel,
      window: this.prefetch,
      arrived: (raw) => this.arrived(raw),
      ended: (reason) => {
        this.intake.close()
        if (!this.isClosing) of.ended(reason)
      },
    })
    this.settler = new Settler({
      parts,
      target,
      acks: this.reading.acks,
      held: undefined,
      isOver: () => this.reading.isOver,
      putBack: undefined,
    })
  }

  get queue(): string {
    return this.of.target.queue
  }

  get isReading(): boolean {
    const { reading, isClosing, reshaping } = this
    return !reading.isOver && !isClosing && reshaping === undefined && reading.tags.length > 0
  }

  get isOwner(): boolean {
    return !this.reading.isOver
  }

  start(): Promise<void> {
    return this.reading.consume(this.prefetch)
  }

  begin(): void {
    if (this.reading.isOver) return
    const size = this.of.sink.assigned(this.scope)
    this.intake.open(size)
    if (size !== this.prefetch) this.window(size)
  }

  owns(scope: Scope): boolean {
    return scope === this.scope
  }

  window(size: number): void {
    if (this.reading.isOver || this.isClosing) return
    this.intake.resize(size)
    this.reading.acks.resize(size)
    this.wantedPrefetch = size
    this.reshaping ??= this.reshape().finally(() => (this.reshaping = undefined))
  }

  async settle(_: Scope, items: readonly SettleItem[]): Promise<readonly SettleOutcome[]> {
    // What is given back while this consumer still reads would come back to it, and behind the rest.
    if (this.reshaping !== undefined && items.some(({ verb }) => verb === 'release')) await this.reshaping
    if (this.reading.isOver) return items.map(() => 'lost')
    const outcomes = await this.settler.settle(items)
    this.intake.settled(items, outcomes)
    return outcomes
  }

  async close(): Promise<void> {
    if (this.reading.isOver || this.isClosing) return
    this.isClosing = true
    this.intake.close()
    const { acks, channel, tags } = this.reading
    const { target } = this.of
    try {
      acks.ackAll()
      while (tags.length > 0) await this.reading.cancelOldest()
      acks.ackAll()
      acks.giveAllBack()
      if (target.atMostOnce) await channel.deleteQueue(target.queue)
    } catch {
      // It is gone, and all that it held went back.
    }
    await this.reading.close()
  }

  deleted(): void {
    this.reading.deleted()
  }

  void(): void {
    this.reading.void()
    this.intake.close()
  }

  private arrived(raw: ConsumeMessage): void {
    if (!this.isClosing) this.intake.add(toDelivery(raw, this.scope, this.of.parts))
  }

  /**
   * `basic.qos` is for consumers to come, so another window takes another consumer. What the old one holds is not counted
   * for the new one; so the first delivery, with which every runner begins, has one of its own, which stays.
   */
  private async reshape(): Promise<void> {
    const { reading } = this
    try {
      while (!reading.isOver && !this.isClosing && this.wantedPrefetch !== this.prefetch) {
        const size = this.wantedPrefetch
        while (reading.tags.length > Math.min(size, 1)) await reading.cancelNewest()
        if (size === 0)
          for (const { token } of this.intake.takeBack()) reading.acks.giveBack((token as DeliveryToken).tag)
        if (size > 0 && reading.tags.length === 0) await reading.consume(1)
        if (size > 1) await reading.consume(size - 1)
        this.prefetch = size
      }
    } catch (error) {
      reading.end(describeError(error))
    }
  }
}
