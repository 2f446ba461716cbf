import { CommitWaiters } from './commit-waiters.ts'
import { fromWire, type WireReading } from './from-wire.ts'
import { toKafkaError } from './errors.ts'
import { maxHeld } from './commit-metadata.ts'
import { PosthornError } from '@posthorn/transport/driver'
import type { Committer, CommitOwner } from './committer.ts'
import type { Entry } from './position.ts'
import type { Commit } from './protocol/offsets.ts'
import type { KafkaRecord } from './protocol/record.ts'
import type { PumpTurns } from './pump-turns.ts'
import type { Reading } from './reading.ts'
import type {
  Clock,
  Delivery,
  DeliverySink,
  Scope,
  SettleItem,
  SettleOutcome,
  WireMessage,
} from '@posthorn/transport/driver'

/** Milliseconds: before it is tried again, and until what nobody gets is committed as passed. */
const retryPauseMs = 100
const passPauseMs = 1_000

/** What the driver knows of a delivery. */
export interface Token {
  readonly reading: Reading
  readonly entry: Entry
  /** In the order of the first hand-outs. */
  readonly rank: number
  /** Whether a copy that settles it was confirmed. */
  isCopied: boolean
}

export interface SlotParts {
  readonly clock: Clock
  readonly turns: PumpTurns
  readonly committer: Committer
  readonly sink: DeliverySink
  /** Whether this source gets it. */
  readonly matches: (message: WireMessage) => boolean
  /** Intake has stopped, since there is no room for what is done above what is open; or goes on. */
  readonly full: (isFull: boolean) => void
  /** Writes what retries, releases and dead letters become; answers for each. */
  readonly copy: (items: readonly SettleItem[], line: number) => Promise<readonly SettleOutcome[]>
  /** More may be fetched. */
  readonly drained: () => void
}

/** One partition of a source, with the part of its retry topic that belongs to it: what one consumer has as one. */
export class Slot implements Scope, CommitOwner {
  readonly name: string
  readonly partition: number
  /** What comes back goes first. */
  readings: readonly Reading[]
  private readonly parts: SlotParts
  private readonly waiters = new CommitWaiters()
  private returned: Delivery[] = []
  private size = 0
  private unsettled = 0
  private rank = 0
  private state: 'open' | 'stopped' | 'closed' = 'open'
  private isOver = false
  private isFull = false
  private isPassing = false

  constructor(name: string, partition: number, readings: readonly Reading[], parts: SlotParts) {
    this.name = name
    this.partition = partition
    this.readings = readings
    this.parts = parts
    for (const { line } of readings) line.onRecords = () => this.pumpLater()
  }

  /** Its source's retry topic has a part of its own for it now. */
  add(reading: Reading): void {
    this.readings = [reading, ...this.readings]
    reading.position.reserveAhead(this.size)
    reading.line.onRecords = () => this.pumpLater()
  }

  get isOurs(): boolean {
    return this.state !== 'closed'
  }

  /** Deliveries that are not settled. */
  get held(): number {
    return this.unsettled
  }

  /** Messages that wait here to be handed out again. */
  get returning(): number {
    return this.returned.length
  }

  window(size: number): void {
    this.size = size
    // What may have been handed out counts after a crash: no more than what is, nearly.
    let isLower = false
    for (const { position } of this.readings) isLower = position.reserveAhead(size) || isLower
    if (isLower && this.state === 'open') this.parts.committer.mark(this)
    this.pumpLater()
  }

  /** Hands out nothing more. */
  stop(): void {
    if (this.state === 'open') this.state = 'stopped'
  }

  /** Commits once more, for whoever has it next. */
  async finish(): Promise<void> {
    if (this.state === 'closed') return
    this.isOver = true
    const committed = this.waiters.add()
    this.parts.committer.mark(this)
    await committed
  }

  /** It is not ours any more. */
  close(): void {
    this.state = 'closed'
    this.parts.committer.forget(this)
    this.returned = []
    this.waiters.close()
  }

  commits(): readonly Commit[] {
    this.waiters.begin()
    return this.readings.map((reading) => reading.commit(this.isOver))
  }

  committed(): void {
    for (const reading of this.readings) reading.committed()
    this.waiters.end('confirmed')
    this.pumpLater()
  }

  failed(error: unknown): void {
    this.waiters.end(toKafkaError(error, `the position of ${this.name}`, { phase: 'settle' }))
    // It may have been to make room for what is handed out next.
    this.parts.clock.setTimer(() => this.pumpLater(), retryPauseMs)
  }

  async settle(items: readonly SettleItem[]): Promise<readonly SettleOutcome[]> {
    if (this.state === 'closed') return items.map(() => 'lost')
    const outcomes = new Array<SettleOutcome | undefined>(items.length)
    const copies: number[] = []
    let released: Delivery[] | undefined
    let commits = false
    for (let index = 0; index < items.length; index++) {
      const item = items[index]!
      const { entry, reading, isCopied } = item.delivery.token as Token
      if (item.verb === 'release' && item.delayMs <= 0) {
        released ??= []
        released.push({ ...item.delivery, message: item.message })
        outcomes[index] = 'confirmed'
      } else if (item.verb === 'hold') {
        outcomes[index] = hold(reading, entry, item.message)
        commits ||= outcomes[index] === undefined
      } else if (item.verb === 'ack' || isCopied) {
        reading.position.done(entry)
        commits = true
      } else {
        copies.push(index)
      }
    }
    if (copies.length > 0) commits = (await this.copy(items, copies, outcomes)) || commits
    if (commits) {
      if ((this.state as string) === 'closed') return items.map((_, index) => outcomes[index] ?? 'lost')
      const committed = this.waiters.add()
      this.parts.committer.mark(this)
      const outcome = await committed
      for (let index = 0; index < items.length; index++) outcomes[index] ??= outcome
    }
    this.free(items, outcomes as SettleOutcome[], released)
    return outcomes as SettleOutcome[]
  }

  /** Whether something of it is to be committed. */
  private async copy(
    items: readonly SettleItem[],
    copies: readonly number[],
    outcomes: (SettleOutcome | undefined)[],
  ): Promise<boolean> {
    const written = await this.parts.copy(
      copies.map((index) => items[index]!),
      this.partition,
    )
    let commits = false
    for (const [at, index] of copies.entries()) {
      const outcome = written[at]!
      if (outcome !== 'confirmed') {
        outcomes[index] = outcome
        continue
      }
      const token = items[index]!.delivery.token as Token
      token.isCopied = true
      token.reading.position.done(token.entry)
      commits = true
    }
    return commits
  }

  private free(
    items: readonly SettleItem[],
    outcomes: readonly SettleOutcome[],
    released: readonly Delivery[] | undefined,
  ): void {
    for (let index = 0; index < items.length; index++) {
      const outcome = outcomes[index]
      if (items[index]!.verb !== 'hold' && (outcome === 'confirmed' || outcome === 'lost'))
        this.unsettled -= 1
    }
    if (released !== undefined && this.state !== 'closed') {
      this.returned = [...this.returned, ...released].sort((left, right) => rankOf(left) - rankOf(right))
    }
    this.pumpLater()
  }

  /** After whoever settled, or gave more room, has heard of it. */
  private pumpLater(): void {
    if (this.state === 'open') this.parts.turns.add(this)
  }

  /** Hands out what there is room for; answers whether there was something. */
  pump(): boolean {
    if (this.state !== 'open' || this.unsettled >= this.size) return false
    const batch: Delivery[] = []
    const room = this.size - this.unsettled
    const wasFull = this.isFull
    this.isFull = false
    while (batch.length < room && this.returned.length > 0) batch.push(this.returned.shift()!)
    // What comes back goes first, but never takes all: it may be released again and again.
    const [first] = this.readings
    this.take(first!, Math.ceil((room + batch.length) / 2), batch)
    for (const reading of this.readings.toReversed()) this.take(reading, room, batch)
    if (this.isFull !== wasFull) this.parts.full(this.isFull)
    if (batch.length === 0) return false
    this.unsettled += batch.length
    this.parts.drained()
    this.parts.sink.deliver(this, batch)
    return true
  }

  private take(reading: Reading, room: number, batch: Delivery[]): void {
    const { position, line } = reading
    const { next } = position
    const already = batch.length
    const now = this.parts.clock.now()
    while (batch.length < room) {
      const record = reading.peek()
      if (record === undefined) break
      const read = fromWire(record, { topic: line.topic, partition: line.partition, now })
      if (!this.isOwn(reading, record, read.message)) {
        line.shift()
        position.pass(record.nextOffset)
        continue
      }
      if (!position.hasRoomFor(record.offset)) {
        this.isFull = true
        break
      }
      if (record.offset >= position.reserved) {
        // What is handed out has to be known to whoever comes after a crash.
        this.parts.committer.mark(this)
        break
      }
      line.shift()
      batch.push(this.toDelivery(reading, record, read))
    }
    if (batch.length === already && position.next > next) this.commitLater()
  }

  private isOwn(reading: Reading, { problem }: KafkaRecord, message: WireMessage): boolean {
    // What comes back has been matched before.
    return reading !== this.readings.at(-1) || problem !== undefined || this.parts.matches(message)
  }

  private toDelivery(
    reading: Reading,
    { offset, nextOffset, problem }: KafkaRecord,
    { message, invalid }: WireReading,
  ): Delivery {
    const { position } = reading
    const held = position.held.get(offset)
    const entry = position.handOut(offset, nextOffset)
    const token: Token = { reading, entry, rank: (this.rank += 1), isCopied: false }
    return {
      scope: this,
      token,
      message: held === undefined ? message : { ...message, ...held },
      deliveries: position.deliveriesOf(offset),
      invalid: problem ?? invalid,
    }
  }

  /** Nobody waits for it: what is passed is of no one here. */
  private commitLater(): void {
    if (this.isPassing) return
    this.isPassing = true
    this.parts.clock.setTimer(() => {
      this.isPassing = false
      if (this.state === 'open') this.parts.committer.mark(this)
    }, passPauseMs)
  }
}

function rankOf({ token }: Delivery): number {
  return (token as Token).rank
}

/** Nothing where it is to be committed. */
function hold({ position }: Reading, { offset }: Entry, message: WireMessage): SettleOutcome | undefined {
  if (position.held.size >= maxHeld && !position.held.has(offset)) {
    const text = `Kafka has room for ${maxHeld} messages that are held, for each partition. Fewer keys can fail at a time.`
    return new PosthornError('POSTHORN_HOLD_FULL', text, { phase: 'settle', retryable: true })
  }
  const { attempt, releases, trials, firstFailedAt, lastFailedAt, notBefore } = message
  position.held.set(offset, { attempt, releases, trials, firstFailedAt, lastFailedAt, notBefore })
  return undefined
}
