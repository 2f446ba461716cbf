import { createMatcher } from '@posthorn/transport'
import { Acknowledger } from './acknowledger.ts'
import { consumerEnded, describeError, leaseLost } from './errors.ts'
import { deliveriesOf, fromWire } from './from-wire.ts'
import { HeldMessages } from './held-messages.ts'
import { Intake } from './intake.ts'
import { heldQueue } from './names.ts'
import { Settler, type DeliveryToken } from './settler.ts'
import type { ConsumerParts, ConsumerTarget } from './consumer-parts.ts'
import type {
  ConsumeRequest,
  Delivery,
  DeliverySink,
  DriverConsumer,
  Scope,
  SettleItem,
  SettleOutcome,
} from '@posthorn/transport/driver'
import type { Channel, ConsumeMessage } from 'amqplib'

/** Reads one queue on a channel of its own, which is its one scope. */
export class RabbitmqConsumer implements DriverConsumer {
  readonly flow = 'fixed'
  private readonly parts: ConsumerParts
  private readonly target: ConsumerTarget
  private readonly isKeyed: boolean
  private readonly sink: DeliverySink
  private readonly channel: Channel
  private readonly scope: Scope
  private readonly acks: Acknowledger
  private readonly intake: Intake
  private readonly settler: Settler
  private readonly held: HeldMessages | undefined
  private readonly matches: ((routingKey: string) => boolean) | undefined
  /** Found of earlier owners before the scope was ours. */
  private readonly found: Delivery[] = []
  private state: 'open' | 'closing' | 'over' = 'open'
  private ownership: 'none' | 'told' | 'assigned' = 'none'
  private hasBegun = false
  /** Of the AMQP consumers that make up the broker's window together: one of the first delivery, and one of the rest. */
  private readonly tags: string[] = []
  /** The broker's window, as it is and as it is to be. */
  private prefetch: number
  private wantedPrefetch: number
  private reshaping: Promise<void> | undefined

  constructor(
    parts: ConsumerParts,
    target: ConsumerTarget,
    request: ConsumeRequest,
    sink: DeliverySink,
    channel: Channel,
  ) {
    this.parts = parts
    this.target = target
    this.isKeyed = request.order === 'key' && !target.atMostOnce
    this.sink = sink
    this.channel = channel
    this.scope = { name: `channel ${parts.nextSerial()} of ${target.name}` }
    // The runner begins with one delivery, and so does the broker, or a crash would count for others as well. With order
    // by key it has to be all: a window cannot be changed there.
    this.prefetch = this.isKeyed ? request.prefetch : 1
    this.wantedPrefetch = this.prefetch
    this.acks = new Acknowledger(channel, parts.clock, request.prefetch)
    this.intake = new Intake(this.scope, sink)
    const { topic, patterns, queue } = target
    this.matches =
      topic === undefined || patterns.length === 0 || patterns.includes('#')
        ? undefined
        : createMatcher([...patterns])
    const { publisher, createId } = parts
    const found = (raw: ConsumeMessage): void => this.arrivedHeld(raw)
    this.held = this.isKeyed
      ? new HeldMessages({ channel, queue: heldQueue(queue), publisher, createId, found })
      : undefined
    this.settler = new Settler({
      parts,
      target,
      acks: this.acks,
      held: this.held,
      isOver: () => this.isOver(),
      putBack: this.isKeyed ? (item) => this.putBack(item) : undefined,
    })
    channel.on('error', (error: unknown) => this.end(describeError(error)))
    // When the whole connection ends, its channels are told first.
    channel.on('close', () => parts.clock.defer(() => this.end('its channel was closed')))
  }

  get queue(): string {
    return this.target.queue
  }

  /** Whether the server has to know of it now. */
  get isReading(): boolean {
    return this.state === 'open' && this.reshaping === undefined && this.tags.length > 0
  }

  /** Starts to read. The sink hears nothing before `begin`. */
  async start(): Promise<void> {
    await this.read(this.prefetch)
  }

  begin(): void {
    if (this.state !== 'open') return
    this.hasBegun = true
    if (this.held === undefined) this.assign()
    else if (!this.intake.isEmpty) this.takeOver(this.held)
  }

  window(scope: Scope, size: number): void {
    if (scope !== this.scope || this.state !== 'open') return
    this.intake.resize(size)
    // With order by key a cancel would give the queue away; there what is beyond the window waits here.
    if (this.isKeyed) return
    this.wantedPrefetch = size
    this.reshaping ??= this.reshape().finally(() => (this.reshaping = undefined))
  }

  async settle(scope: Scope, items: readonly SettleItem[]): Promise<readonly SettleOutcome[]> {
    if (scope !== this.scope || this.isOver()) return items.map(() => 'lost')
    // What is given back while this consumer still reads would come back to it, and behind the rest.
    if (this.reshaping !== undefined && items.some(({ verb }) => verb === 'release')) await this.reshaping
    if (this.isOver()) return items.map(() => 'lost')
    const outcomes = await this.settler.settle(items)
    let settled = 0
    for (const [index, outcome] of outcomes.entries()) {
      if (typeof outcome === 'string' && items[index]!.verb !== 'hold') settled += 1
    }
    this.intake.settled(settled)
    return outcomes
  }

  async renew(scope: Scope, deliveries: readonly Delivery[]): Promise<readonly SettleOutcome[]> {
    const outcome = scope === this.scope && this.state !== 'over' ? 'confirmed' : 'lost'
    return deliveries.map(() => outcome)
  }

  async close(): Promise<void> {
    if (this.state !== 'open') return
    this.state = 'closing'
    this.intake.close()
    try {
      this.acks.ackAll()
      // With order by key the channel's end gives all back at once; a cancel would hand out what comes later before that.
      if (!this.isKeyed) {
        for (const tag of this.tags) await this.channel.cancel(tag)
        this.acks.ackAll()
        this.acks.giveAllBack()
      }
      this.void()
      if (this.target.atMostOnce) await this.channel.deleteQueue(this.target.queue)
      await this.channel.close()
    } catch {
      // It is gone, and all that it held went back.
      this.void()
    }
    this.parts.forget(this)
  }

  /** Its queue is gone, and what was in it. */
  deleted(): void {
    this.end('the queue was deleted')
    this.channel.close().catch(() => undefined)
  }

  /** Its channel is gone, or of no use any more: nothing is written or told. */
  void(): void {
    this.state = 'over'
    this.intake.close()
    this.acks.stop()
    this.held?.close()
  }

  private isOver(): boolean {
    return this.state === 'over'
  }

  private async read(prefetch: number): Promise<void> {
    await this.channel.prefetch(prefetch)
    const { consumerTag } = await this.channel.consume(this.target.queue, (raw) => {
      if (raw === null) void this.cancelled()
      else this.arrived(raw)
    })
    this.tags.push(consumerTag)
  }

  private arrived(raw: ConsumeMessage): void {
    if (this.state !== 'open') return
    const { deliveryTag, exchange, routingKey } = raw.fields
    this.acks.opened(deliveryTag)
    if (this.matches !== undefined && exchange === this.target.topic && !this.matches(routingKey)) {
      this.acks.finish(deliveryTag)
      this.acks.flush()
      return
    }
    this.intake.add(this.toDelivery(raw))
    if (this.held !== undefined && this.hasBegun) this.takeOver(this.held)
  }

  private arrivedHeld(raw: ConsumeMessage): void {
    if (this.state !== 'open') return
    this.acks.opened(raw.fields.deliveryTag)
    const delivery = this.toDelivery(raw, true)
    if (this.ownership === 'assigned') this.intake.add(delivery)
    else this.found.push(delivery)
  }

  private toDelivery(raw: ConsumeMessage, isHeld = false): Delivery {
    const { namespace, createId, clock } = this.parts
    const { message, stableId, invalid } = fromWire(raw, { namespace, createId, now: clock.now() })
    const { deliveryTag } = raw.fields
    const token: DeliveryToken = { tag: deliveryTag, rank: isHeld ? deliveryTag - heldBefore : deliveryTag }
    return { scope: this.scope, token, message, deliveries: deliveriesOf(raw), stableId, invalid }
  }

  private putBack({ delivery, message }: SettleItem): void {
    const token = delivery.token as DeliveryToken
    this.intake.putBack({ ...delivery, message, token: { ...token } }, rankOf)
    // Whoever settles it once more settles nothing.
    token.tag = 0
  }

  /** The first delivery says that the queue is ours alone. What an earlier owner held comes before it. */
  private takeOver(held: HeldMessages): void {
    if (this.ownership !== 'none') return
    this.ownership = 'told'
    this.parts
      .openSideQueue(heldQueue(this.target.queue))
      .then((count) => held.start(count))
      .then(
        () => this.assign(),
        (error: unknown) => this.end(describeError(error)),
      )
  }

  private assign(): void {
    if (this.state !== 'open') return
    this.ownership = 'assigned'
    const size = this.sink.assigned(this.scope)
    this.intake.open(size, this.found)
    if (size !== this.prefetch) this.window(this.scope, size)
  }

  /**
   * `basic.qos` is for consumers to come, so another window takes another consumer. What the old one holds is not counted
   * for the new one; so the first delivery, with which every runner begins, has one of its own, which stays.
   */
  private async reshape(): Promise<void> {
    try {
      while (this.state === 'open' && this.wantedPrefetch !== this.prefetch) {
        const size = this.wantedPrefetch
        while (this.tags.length > Math.min(size, 1)) await this.channel.cancel(this.tags.pop() as string)
        if (size === 0)
          for (const { token } of this.intake.takeBack()) this.acks.giveBack((token as DeliveryToken).tag)
        if (size > 0 && this.tags.length === 0) await this.read(1)
        if (size > 1) await this.read(size - 1)
        this.prefetch = size
      }
    } catch (error) {
      this.end(describeError(error))
    }
  }

  /** The broker says that the consumer is no more, and not why. */
  private async cancelled(): Promise<void> {
    const isThere = await this.parts.queueExists(this.target.queue).catch(() => true)
    if (!isThere) return this.deleted()
    this.end('it held deliveries for longer than the server allows')
    this.channel.close().catch(() => undefined)
  }

  private end(reason: string): void {
    if (this.state === 'over') return
    const wasOpen = this.state === 'open'
    this.void()
    this.parts.forget(this)
    if (!wasOpen || !this.parts.isLive()) return
    if (this.ownership === 'assigned') this.sink.lost(this.scope, leaseLost(this.target.name, reason))
    this.sink.ended(consumerEnded(this.target.name, reason))
  }
}

/** What an earlier owner held comes before all that is read of the queue, though it arrives later. */
const heldBefore = 2 ** 50

function rankOf({ token }: Delivery): number {
  return (token as DeliveryToken).rank
}
