import {
  sourceName,
  type DeadLetterDecision,
  type DeadLetterEntry,
  type DeadLetterPass,
  type PublishOutcome,
  type SettleOutcome,
  type Source,
} from '@posthorn/transport/driver'
import { deadLetterHeaders, readLetter } from './dead-letter-record.ts'
import {
  deadLettersBusy,
  passClosed,
  passLost,
  replyCode,
  settlementFailed,
  toRabbitmqError,
} from './errors.ts'
import { fromWire } from './from-wire.ts'
import { maxUnsettled } from './max-unsettled.ts'
import { passLock } from './names.ts'
import { queueForKey } from './shards.ts'
import type { ConsumerParts } from './consumer-parts.ts'
import type { Channel, GetMessage } from 'amqplib'

/** Milliseconds within which a copy is confirmed, or its decision fails. */
const copyMs = 30_000

interface EntryToken {
  readonly raw: GetMessage
}

export interface PassTarget {
  readonly source: Source
  /** Native names. */
  readonly queue: string
  readonly shards: number
  readonly deadLetterQueue: string
}

/** Works through one source's dead letters, up to as many as there were when it began. */
export class RabbitmqDeadLetterPass implements DeadLetterPass {
  readonly total: number
  private readonly parts: ConsumerParts
  private readonly target: PassTarget
  private readonly channel: Channel
  private readonly onClosed: () => void
  private state: 'open' | 'closed' | 'lost' = 'open'
  private readCount = 0
  /** Entries that have been read and are still where they were. */
  private readonly undecided = new Set<DeadLetterEntry>()

  private constructor(
    parts: ConsumerParts,
    target: PassTarget,
    channel: Channel,
    total: number,
    onClosed: () => void,
  ) {
    this.parts = parts
    this.target = target
    this.channel = channel
    this.total = total
    this.onClosed = onClosed
    channel.on('close', () => this.lose())
  }

  /** Rejects with `POSTHORN_DEAD_LETTERS_BUSY` while another connection has one open. */
  static async open(
    parts: ConsumerParts,
    target: PassTarget,
    cursor: string | undefined,
    openChannel: () => Promise<Channel>,
    onClosed: () => void,
  ): Promise<RabbitmqDeadLetterPass> {
    const channel = await openChannel()
    // Without a listener an error would end the connection.
    channel.on('error', () => undefined)
    const source = sourceName(target.source)
    try {
      await channel.assertQueue(passLock(target.deadLetterQueue), {
        exclusive: true,
        durable: false,
        autoDelete: false,
      })
    } catch (error) {
      throw replyCode(error) === 405
        ? deadLettersBusy(source)
        : toRabbitmqError(error, `a pass over "${source}"`)
    }
    try {
      const { messageCount } = await channel.checkQueue(target.deadLetterQueue)
      // An earlier pass has moved what it decided on behind the rest, or taken it away.
      const left = cursor !== undefined && /^\d{1,15}$/.test(cursor) ? Number(cursor) : Infinity
      return new RabbitmqDeadLetterPass(parts, target, channel, Math.min(messageCount, left), onClosed)
    } catch (error) {
      channel.close().catch(() => undefined)
      throw toRabbitmqError(error, `the dead-letter queue "${target.deadLetterQueue}"`, { phase: 'receive' })
    }
  }

  async read(max: number): Promise<readonly DeadLetterEntry[]> {
    this.refuseIfOver()
    await this.moveBack([...this.undecided])
    const entries: DeadLetterEntry[] = []
    while (entries.length < Math.min(max, maxUnsettled) && this.readCount < this.total) {
      let raw: GetMessage | false
      try {
        raw = await this.channel.get(this.target.deadLetterQueue)
      } catch {
        throw passLost(sourceName(this.target.source))
      }
      this.refuseIfOver()
      // Somebody else has taken some.
      if (raw === false) break
      this.readCount += 1
      const entry = this.toEntry(raw)
      this.undecided.add(entry)
      entries.push(entry)
    }
    return entries
  }

  async decide(items: readonly DeadLetterDecision[]): Promise<readonly SettleOutcome[]> {
    if (this.state !== 'open') return items.map(() => 'lost')
    const { delays, clock } = this.parts
    const { queue, shards, source } = this.target
    const deadline = clock.now() + copyMs
    const outcomes = Array.from<SettleOutcome>({ length: items.length })
    const finish = (chosen: readonly DeadLetterDecision[], copies: readonly PublishOutcome[]): void => {
      for (const [position, item] of chosen.entries()) {
        const copy = copies[position] ?? 'confirmed'
        const index = items.indexOf(item)
        if (this.state !== 'open') outcomes[index] = 'lost'
        else if (copy !== 'confirmed')
          outcomes[index] = settlementFailed(item.decision, sourceName(source), copy)
        else outcomes[index] = this.ack(item.entry)
      }
    }
    const chosen = (decision: string): DeadLetterDecision[] =>
      items.filter((item) => item.decision === decision)
    const [replays, keeps] = [chosen('replay'), chosen('keep')]
    finish(chosen('discard'), [])
    const again = replays.map(({ message }) => ({
      message,
      delayMs: 0,
      to: { queue: queueForKey(queue, shards, message.key) },
    }))
    const [replayed, kept] = await Promise.all([
      delays.publish(again, deadline),
      this.copyBack(
        keeps.map(({ entry }) => entry),
        deadline,
      ),
    ])
    finish(replays, replayed)
    finish(keeps, kept)
    return outcomes
  }

  async close(): Promise<string | undefined> {
    const left = this.total - this.readCount
    const cursor = left > 0 ? String(left) : undefined
    if (this.state !== 'open') return cursor
    try {
      // Giving them back would count, and some servers drop what came back too often.
      await this.moveBack([...this.undecided])
      this.state = 'closed'
      await this.channel.deleteQueue(passLock(this.target.deadLetterQueue))
      await this.channel.close()
    } catch {
      // It went with its channel.
    }
    this.state = 'closed'
    this.onClosed()
    return cursor
  }

  /** Its channel, or the whole connection, is gone. */
  lose(): void {
    if (this.state !== 'open') return
    this.state = 'lost'
    this.onClosed()
  }

  private async moveBack(entries: readonly DeadLetterEntry[]): Promise<void> {
    const outcomes = await this.copyBack(entries, this.parts.clock.now() + copyMs)
    for (const [index, entry] of entries.entries()) if (outcomes[index] === 'confirmed') this.ack(entry)
  }

  /** To the end of the queue that they came from. */
  private copyBack(
    entries: readonly DeadLetterEntry[],
    deadline: number,
  ): Promise<readonly PublishOutcome[]> {
    const copies = entries.map((entry) => ({
      routingKey: this.target.deadLetterQueue,
      message: entry.message,
      headers: deadLetterHeaders(entry.entryId, entry.record),
    }))
    return this.parts.publisher.copyToQueues(copies, deadline)
  }

  private ack(entry: DeadLetterEntry): SettleOutcome {
    try {
      this.channel.ack((entry.token as EntryToken).raw)
      this.undecided.delete(entry)
      return 'sent'
    } catch {
      return 'lost'
    }
  }

  private toEntry(raw: GetMessage): DeadLetterEntry {
    const { namespace, createId, clock } = this.parts
    const now = clock.now()
    const { message } = fromWire(raw, { namespace, createId, now })
    const { entryId, record } = readLetter(raw, message, sourceName(this.target.source), now)
    const token: EntryToken = { raw }
    return { entryId, token, message, record }
  }

  private refuseIfOver(): void {
    if (this.state === 'open') return
    const source = sourceName(this.target.source)
    throw this.state === 'lost' ? passLost(source) : passClosed(source)
  }
}
