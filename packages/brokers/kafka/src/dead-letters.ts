import { sourceName } from '@posthorn/transport/driver'
import { topologyMissing } from './errors.ts'
import { entryIdOf, liveLetters, type LiveLetter } from './letter-log.ts'
import { fromWire } from './from-wire.ts'
import { keyPartition } from './dispatcher.ts'
import { PassLock } from './pass-lock.ts'
import { readFrom } from './read-topic.ts'
import { readLetter } from './letter-record.ts'
import { sourceNames, type DurableSource, type SourceNames } from './names.ts'
import type { ConsumerParts } from './consumer-parts.ts'
import type {
  DeadLetterDecision,
  DeadLetterEntry,
  DeadLetterPass,
  PosthornError,
  PublishOutcome,
  SettleOutcome,
} from '@posthorn/transport/driver'

const writeTimeoutMs = 30_000

/** A pass: the only member of a group that has the dead letters is the one that works on them. */
export class KafkaDeadLetterPass implements DeadLetterPass {
  readonly total: number
  private readonly parts: ConsumerParts
  private readonly source: DurableSource
  private readonly names: SourceNames
  private readonly letters: readonly LiveLetter[]
  private readonly lock: PassLock
  private next = 0

  private constructor(
    parts: ConsumerParts,
    source: DurableSource,
    lock: PassLock,
    letters: readonly LiveLetter[],
  ) {
    this.parts = parts
    this.source = source
    this.names = sourceNames(parts.host.namespace, source)
    this.lock = lock
    this.letters = letters
    this.total = letters.length
  }

  static async open(
    parts: ConsumerParts,
    source: DurableSource,
    cursor: string | undefined,
  ): Promise<KafkaDeadLetterPass> {
    const { deadLetters: topic } = sourceNames(parts.host.namespace, source)
    const what = `The dead-letter queue of "${sourceName(source)}"`
    await parts.cluster.persist(() => parts.cluster.partitionsOf(topic, what))
    const lock = await PassLock.take(parts, topic, sourceName(source))
    try {
      const { letters } = await liveLetters(parts.cluster, topic)
      const from = cursor === undefined ? 0 : Number(cursor)
      return new KafkaDeadLetterPass(
        parts,
        source,
        lock,
        letters.filter(({ offset }) => offset >= from),
      )
    } catch (error) {
      await lock.member.leave()
      throw error
    }
  }

  async read(max: number): Promise<readonly DeadLetterEntry[]> {
    await this.lock.check()
    const entries: DeadLetterEntry[] = []
    const { deadLetters: topic } = this.names
    const now = this.parts.host.clock.now()
    while (entries.length < max && this.next < this.letters.length) {
      const { records, nextOffset } = await readFrom(
        this.parts.cluster,
        topic,
        0,
        this.letters[this.next]!.offset,
      )
      for (const record of records) {
        const wanted = this.letters[this.next]
        if (wanted === undefined || entries.length >= max) break
        if (record.offset < wanted.offset) continue
        // It may have been cleaned up since.
        if (record.offset > wanted.offset || record.value === undefined) {
          this.next += 1
          continue
        }
        const { message } = fromWire(record, { topic, partition: 0, now })
        const letter = readLetter(record, message, sourceName(this.source))
        entries.push({ entryId: entryIdOf(record, topic), token: undefined, message, record: letter })
        this.next += 1
      }
      while (
        this.next < this.letters.length &&
        this.letters[this.next]!.offset < nextOffset &&
        entries.length < max
      ) {
        this.next += 1
      }
    }
    return entries
  }

  async decide(items: readonly DeadLetterDecision[]): Promise<readonly SettleOutcome[]> {
    try {
      await this.lock.check()
    } catch {
      return items.map(() => 'lost')
    }
    const outcomes = new Array<PublishOutcome>(items.length).fill('confirmed')
    const replayed: number[] = []
    const gone: number[] = []
    for (const [index, { decision }] of items.entries()) {
      if (decision === 'replay') replayed.push(index)
      else if (decision === 'discard') gone.push(index)
    }
    const written = await this.replay(replayed.map((index) => items[index]!))
    for (const [at, index] of replayed.entries()) {
      outcomes[index] = written[at]!
      if (written[at] === 'confirmed') gone.push(index)
    }
    const buried = await this.bury(gone.map((index) => items[index]!))
    for (const [at, index] of gone.entries()) outcomes[index] = buried[at]!
    return outcomes
  }

  async close(): Promise<string | undefined> {
    await this.lock.member.leave()
    return this.letters[this.next]?.offset.toString()
  }

  /** To the part of the retry topic that is handed out at once. */
  private async replay(items: readonly DeadLetterDecision[]): Promise<readonly PublishOutcome[]> {
    if (items.length === 0) return []
    const { dispatcher, cluster, host } = this.parts
    const count = await cluster.countPartitions(this.names.topic)
    const copies = items.map(({ message }, index) => ({
      message: { ...message, notBefore: undefined },
      line:
        message.key === undefined
          ? index % Math.max(1, count)
          : keyPartition(message.key, Math.max(1, count)),
      delayMs: 0,
    }))
    return dispatcher.copies(this.names, copies, host.clock.now() + writeTimeoutMs)
  }

  private async bury(items: readonly DeadLetterDecision[]): Promise<readonly PublishOutcome[]> {
    if (items.length === 0) return []
    const now = this.parts.host.clock.now()
    const records = items.map(({ entry }) => ({
      timestamp: now,
      key: entry.entryId,
      value: undefined,
      headers: {},
    }))
    const indexes = records.map((_, index) => index)
    const parcel = { topic: this.names.deadLetters, partition: 0, records, indexes }
    const missing = (): PosthornError => topologyMissing(`The dead-letter topic "${parcel.topic}"`)
    return this.parts.publisher.publish([parcel], records.length, now + writeTimeoutMs, missing)
  }
}
