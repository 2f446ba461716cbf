import { deleteTopic } from './delete-topic.ts'
import { listOffsets, moments } from './protocol/offsets.ts'
import { metadata } from './protocol/topics.ts'
import { nativeName } from './names.ts'
import { ownHeaders } from './headers.ts'
import { topologyMissing } from './errors.ts'
import type { ConsumerParts } from './consumer-parts.ts'
import type { KafkaRecord } from './protocol/record.ts'

/** Milliseconds: after which a sign of life is written again, and what nobody has written to is looked at again. */
const signMs = 15 * 60_000
const lookMs = 60 * 60_000
const writeTimeoutMs = 10_000

/** How many are deleted at most after one look. */
const maxDeleted = 100

/**
 * Keeps the topic of an inbox alive, and deletes those whose process is gone. The owner writes a sign of life at once and every
 * quarter of an hour, and records stay for an hour; so one that is empty now, and was an hour ago, is nobody's.
 */
export class InboxKeeper {
  private readonly parts: Pick<ConsumerParts, 'cluster' | 'publisher' | 'host'>
  private readonly topic: string
  private readonly cancels = new Map<string, () => void>()
  /** The ids of those that were empty at the last look, by topic. */
  private empty: ReadonlyMap<string, string> = new Map()
  private emptySince = 0
  private isOver = false

  constructor(parts: Pick<ConsumerParts, 'cluster' | 'publisher' | 'host'>, topic: string) {
    this.parts = parts
    this.topic = topic
  }

  /** Rejects where the first sign of life cannot be written: without one it would be deleted. */
  async start(): Promise<void> {
    await this.sign()
    this.repeat('sign', signMs, () => this.sign())
    // Not all that began together look together.
    this.repeat('look', lookMs * (1 + this.parts.host.clock.random() / 2), () => this.look())
  }

  close(): void {
    this.isOver = true
    for (const cancel of this.cancels.values()) cancel()
  }

  /** Looks for inboxes that are empty, and deletes those that were at the last look, an hour ago or longer. */
  async look(): Promise<void> {
    const { cluster, host } = this.parts
    const now = host.clock.now()
    const found = await this.findEmpty()
    const wereEmpty = [...found].filter(([topic, id]) => this.empty.get(topic) === id)
    const isTime = now - this.emptySince >= lookMs
    if (this.empty.size > 0 && !isTime) return
    this.empty = found
    this.emptySince = now
    for (const [topic] of wereEmpty.slice(0, maxDeleted)) {
      if (!this.isOver) await deleteTopic(cluster, topic).catch(() => undefined)
    }
  }

  private async findEmpty(): Promise<ReadonlyMap<string, string>> {
    const { cluster, host } = this.parts
    const prefix = nativeName(host.namespace, 'inbox/-').slice(0, -1)
    const { topics } = await cluster.askAny(metadata('all'))
    const ids = new Map(topics.map(({ topic, id }) => [topic, id]))
    const own = [...ids.keys()].filter((topic) => topic.startsWith(prefix) && topic !== this.topic)
    if (own.length === 0) return new Map()
    await cluster.refresh(own)
    const ends = await Promise.all(
      [moments.start, moments.end].map((time) =>
        cluster.askLeaders(
          own.map((topic) => ({ topic, partition: 0, time })),
          (wanted) => listOffsets(wanted, true),
        ),
      ),
    )
    const [starts, last] = ends.map((all) => new Map(all.map((one) => [one.topic, one])))
    const isEmpty = (topic: string): boolean => {
      const [start, end] = [starts!.get(topic), last!.get(topic)]
      return start?.error === 0 && end?.error === 0 && start.offset === end.offset
    }
    return new Map(own.filter(isEmpty).map((topic) => [topic, ids.get(topic)!]))
  }

  private async sign(): Promise<void> {
    const { publisher, host } = this.parts
    const timestamp = host.clock.now()
    const record = { timestamp, key: undefined, value: undefined, headers: { [ownHeaders.sign]: 'of life' } }
    const parcel = { topic: this.topic, partition: 0, records: [record], indexes: [0] }
    const [outcome] = await publisher.publish([parcel], 1, timestamp + writeTimeoutMs, () =>
      topologyMissing(`The topic "${this.topic}"`),
    )
    if (outcome !== 'confirmed') throw outcome
  }

  private repeat(name: string, everyMs: number, act: () => Promise<void>): void {
    if (this.isOver) return
    const cancel = this.parts.host.clock.setTimer(() => {
      void act()
        .catch(() => undefined)
        .then(() => this.repeat(name, everyMs, act))
    }, everyMs)
    this.cancels.set(name, cancel)
  }
}

/** Whether a record of an inbox says only that its owner lives. */
export function isSign({ headers }: KafkaRecord): boolean {
  return headers[ownHeaders.sign] !== undefined
}
