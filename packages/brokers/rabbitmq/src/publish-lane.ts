import { IllegalOperationError, type ConfirmChannel, type Message } from 'amqplib'
import { cannotEncode, describeError, notConfirmed, notWritten, toRabbitmqError } from './errors.ts'
import { PublishBatch, type Outgoing } from './publish-batch.ts'
import { appId, toBuffer, toWire } from './to-wire.ts'
import { writeMessage } from './write-message.ts'
import type { Clock, PosthornError, PublishOutcome } from '@posthorn/transport/driver'

/** What a lane needs to know about its exchange. */
export interface LaneTarget {
  readonly exchange: string
  /** What no queue takes comes back, and is answered with this. Otherwise it is confirmed. */
  readonly unroutable: ((item: Outgoing) => PosthornError) | undefined
  /** Told of each message that came back. */
  readonly missing?: (item: Outgoing) => void
  /** What a refusal by the broker means. */
  refused(item: Outgoing): PosthornError
}

/** A channel on which a queue refuses is replaced when it is so old. Milliseconds. */
const refusedMs = 1_000

/** The confirm channel of one exchange: an exchange that is missing closes its channel, and harms nothing else. */
export class PublishLane {
  /** Batches that wait to be written, in their order. */
  private readonly waiting: PublishBatch[] = []
  /** Batches with messages that have no answer, by serial number. */
  private readonly open = new Map<number, PublishBatch>()
  private readonly target: LaneTarget
  private readonly namespace: string
  private readonly clock: Clock
  private readonly openChannel: () => Promise<ConfirmChannel>
  private readonly written: () => void
  private channel: ConfirmChannel | undefined
  /** Epoch milliseconds. */
  private openedAt = 0
  private opening = false
  private isFull = false
  private serial = 0
  private cancelTimer: (() => void) | undefined
  private lastError = 'the channel was closed'

  /** `written` is called when something was given to the channel. */
  constructor(
    target: LaneTarget,
    namespace: string,
    clock: Clock,
    openChannel: () => Promise<ConfirmChannel>,
    written: () => void,
  ) {
    this.written = written
    this.target = target
    this.namespace = namespace
    this.clock = clock
    this.openChannel = openChannel
  }

  get isIdle(): boolean {
    return this.open.size === 0 && !this.opening
  }

  publish(items: readonly Outgoing[], deadline: number): Promise<readonly PublishOutcome[]> {
    const batch = new PublishBatch(items, deadline)
    if (items.length === 0) return batch.done
    batch.serial = this.serial += 1
    this.open.set(batch.serial, batch)
    void batch.done.then(() => this.forget(batch))
    this.waiting.push(batch)
    this.cancelTimer ??= this.clock.setTimer(() => this.expire(), Math.max(0, deadline - this.clock.now()))
    this.pump()
    return batch.done
  }

  /** Opens its channel. Rejects with what amqplib says. */
  async ready(): Promise<void> {
    this.opening = true
    try {
      this.use(await this.openChannel())
    } finally {
      this.opening = false
    }
  }

  /** Lets its channel go; only when idle. */
  close(): void {
    const { channel } = this
    this.channel = undefined
    channel?.close().catch(() => undefined)
  }

  /** Writes what can be written now. */
  private pump(): void {
    const { channel } = this
    if (channel === undefined) {
      if (!this.opening && this.waiting.length > 0) void this.connect()
      return
    }
    if (this.waiting.length === 0) return
    while (!this.isFull && this.waiting.length > 0) this.write(channel, this.waiting.shift() as PublishBatch)
    this.written()
  }

  private write(channel: ConfirmChannel, batch: PublishBatch): void {
    const { exchange, unroutable } = this.target
    const mandatory = unroutable !== undefined
    const { serial } = batch
    while (batch.written < batch.items.length) {
      const index = batch.written
      const item = batch.items[index]!
      try {
        const properties = toWire(item.message, this.namespace, item.headers)
        if (mandatory) properties.appId = `${appId}/${serial}.${index}`
        const address = { exchange, routingKey: item.routingKey, mandatory }
        const hasRoom = writeMessage(
          channel,
          address,
          properties,
          toBuffer(item.message.body),
          (error: unknown) => this.confirmed(channel, batch, index, error),
        )
        if (!hasRoom) this.isFull = true
        batch.written = index + 1
      } catch (error) {
        // Its connection may be closing, and the channel not know yet.
        if (this.channel !== channel || error instanceof IllegalOperationError) {
          batch.refuseRest(notWritten(this.lastError))
          return
        }
        batch.written = index + 1
        batch.answer(index, cannotEncode(error))
      }
    }
  }

  private confirmed(channel: ConfirmChannel, batch: PublishBatch, index: number, error: unknown): void {
    if (error === null || error === undefined) batch.answer(index, 'confirmed')
    else if (error instanceof Error && error.message === 'message nacked') {
      batch.answer(index, this.target.refused(batch.items[index]!))
      this.refused(channel)
    } else batch.answer(index, notConfirmed(this.lastError))
  }

  /** A return comes before its confirmation. */
  private returned(channel: ConfirmChannel, { properties }: Message): void {
    const token = String(properties.appId).slice(appId.length + 1)
    const [serial, index] = token.split('.').map(Number)
    const batch = serial === undefined ? undefined : this.open.get(serial)
    const item = batch?.items[index ?? -1]
    if (batch === undefined || index === undefined || item === undefined) return
    const error = this.target.unroutable?.(item)
    if (error === undefined) return
    batch.answer(index, error)
    this.target.missing?.(item)
    this.retire(channel)
  }

  /**
   * The queue is full, or its leader was not there when this channel first wrote to it: then this channel is refused for
   * ever, also when there is a leader again (seen on 3.10, after a node was killed).
   */
  private refused(channel: ConfirmChannel): void {
    if (this.clock.now() - this.openedAt >= refusedMs) this.retire(channel)
  }

  /**
   * The queue is gone. Were it made again at once, the server would take what this channel sends it for messages of the
   * old one, confirm them and keep none (seen on 3.10); a channel that is new to the queue does not have that problem.
   */
  private retire(channel: ConfirmChannel): void {
    if (this.channel !== channel) return
    this.channel = undefined
    const answered = [...this.open.values()].map((batch) => batch.done)
    void Promise.all(answered).then(() => channel.close().catch(() => undefined))
  }

  private async connect(): Promise<void> {
    try {
      await this.ready()
      this.pump()
    } catch (error) {
      const failure = toRabbitmqError(error, this.describe(), { phase: 'publish', outcome: 'rejected' })
      for (const batch of this.waiting.splice(0)) batch.refuseRest(failure)
    }
  }

  private use(channel: ConfirmChannel): void {
    this.channel = channel
    this.openedAt = this.clock.now()
    this.isFull = false
    channel.on('return', (message) => this.returned(channel, message))
    channel.on('drain', () => {
      this.isFull = false
      this.pump()
    })
    channel.on('error', (error: unknown) => {
      this.lastError = describeError(error)
    })
    channel.on('close', () => {
      if (this.channel === channel) this.channel = undefined
      // What waited is written on the next channel, if there is one.
      this.pump()
    })
  }

  private describe(): string {
    return this.target.exchange === '' ? 'the default exchange' : `the exchange "${this.target.exchange}"`
  }

  private forget({ serial }: PublishBatch): void {
    this.open.delete(serial)
    if (this.open.size > 0) return
    this.cancelTimer?.()
    this.cancelTimer = undefined
  }

  private expire(): void {
    this.cancelTimer = undefined
    const now = this.clock.now()
    let next = Infinity
    for (const batch of this.open.values()) {
      if (batch.isDone) continue
      if (batch.deadline <= now) batch.expire()
      else next = Math.min(next, batch.deadline)
    }
    const late = this.waiting.filter((batch) => !batch.isDone)
    this.waiting.splice(0, this.waiting.length, ...late)
    if (next !== Infinity) this.cancelTimer = this.clock.setTimer(() => this.expire(), next - now)
  }
}
