import { logOf } from './commit-metadata.ts'
import { deleteRecords } from './protocol/offsets.ts'
import { describeTopics } from './protocol/topics.ts'
import { queueMark } from './wanted-objects.ts'
import type { Cluster } from './cluster.ts'
import type { Reading } from './reading.ts'

/** Milliseconds between two times, and how long the leaders may take. */
const everyMs = 30_000
const timeoutMs = 5_000

/**
 * Deletes what is worked off, since topics of queues keep everything: records below the committed position. Only of topics that
 * were made here for one source alone; whatever others made is left as it is.
 */
export class Trimmer {
  private readonly cluster: Cluster
  /** By topic. */
  private readonly isOwn = new Map<string, boolean>()
  private readonly readings: () => readonly Reading[]
  private cancel: () => void = () => undefined
  private isOver = false

  constructor(cluster: Cluster, readings: () => readonly Reading[]) {
    this.cluster = cluster
    this.readings = readings
  }

  start(): void {
    if (this.isOver) return
    this.cancel = this.cluster.clock.setTimer(() => {
      void this.trim().then(
        () => this.start(),
        () => this.start(),
      )
    }, everyMs)
  }

  close(): void {
    this.isOver = true
    this.cancel()
  }

  /** Does it now. */
  async trim(): Promise<void> {
    const moved = this.readings().filter((reading) => reading.committedOffset > reading.trimmedTo)
    await this.look(
      [...new Set(moved.map(({ line }) => line.topic))].filter((topic) => !this.isOwn.has(topic)),
    )
    const mine = moved.filter(({ line }) => this.isOwn.get(line.topic) === true)
    if (mine.length === 0) return
    // In a topic that was made anew meanwhile nothing of it is worked off.
    await this.cluster.refresh([...new Set(mine.map(({ line }) => line.topic))])
    const own = mine.filter(({ line, log }) => log === logOf(this.cluster.topicId(line.topic)))
    if (own.length === 0) return
    const upTo = own.map(({ line: { topic, partition }, committedOffset: offset }) => ({
      topic,
      partition,
      offset,
    }))
    const results = await this.cluster.askLeaders(upTo, (entries) => deleteRecords(entries, timeoutMs))
    for (const { topic, partition, error } of results) {
      if (error !== 0) continue
      const index = upTo.findIndex((one) => one.topic === topic && one.partition === partition)
      own[index]!.trimmedTo = upTo[index]!.offset
    }
  }

  private async look(topics: readonly string[]): Promise<void> {
    if (topics.length === 0) return
    const answers = await this.cluster.askAny(describeTopics(topics, [queueMark.name]))
    for (const { topic, config } of answers) {
      this.isOwn.set(topic, config.get(queueMark.name) === queueMark.value)
    }
  }
}
